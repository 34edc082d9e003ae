import type { AuthorizationMessages } from './authorization-messages.ts';
import type { ProviderKeys } from './web-identity/provider-keys.ts';
import type { IamApi } from '#services/iam/api.ts';

/** What every operation of STS works with. */
export interface StsContext {
  readonly iam: IamApi;
  readonly providerKeys: ProviderKeys;
  readonly messages: AuthorizationMessages;
}
