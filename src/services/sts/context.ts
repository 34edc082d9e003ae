import type { AuthorizationMessages } from './authorization-messages.ts';
import type { IamApi } from '#services/iam/api.ts';

/** What every operation of STS works with. */
export interface StsContext {
  readonly iam: IamApi;
  readonly messages: AuthorizationMessages;
}
