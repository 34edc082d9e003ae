import type { RootKey } from '#crypto/root-key.ts';
import type { Clock } from '#kernel/clock.ts';
import type { ServiceLinkedRoles } from '#services/iam/api.ts';
import type { SecretsManagerApi } from '#services/secrets-manager/api.ts';
import type { StsApi } from '#services/sts/api.ts';
import type { KeyProviderApi } from './api.ts';
import { ContentSecrets } from './content-secrets.ts';
import { LicenceTokens } from './domain/licence-tokens.ts';
import { ProviderRole } from './provider-role.ts';

/** What every operation of the key provider works with. */
export interface KeyProviderContext {
  readonly contents: ContentSecrets;
  readonly tokens: LicenceTokens;
  readonly clock: Clock;
  /** For players with tokens: their requests go on in the name of whom the token is of. */
  readonly self: KeyProviderApi;
  /** Where players reach the installation, as the operator says; without a slash at its end. */
  readonly publicAddress: string | undefined;
  /** Where the server listens; set when it does. */
  endpoint: string | undefined;
}

/** What the service needs of the rest of the platform. */
export interface KeyProviderDependencies extends Pick<KeyProviderContext, 'clock' | 'self' | 'publicAddress'> {
  readonly sts: StsApi;
  readonly roles: ServiceLinkedRoles;
  readonly secrets: SecretsManagerApi;
  /** Tokens are sealed under a key that is derived from it. */
  readonly rootKey: RootKey;
}

export function createKeyProviderContext(dependencies: KeyProviderDependencies): KeyProviderContext {
  const { sts, roles, secrets, rootKey, clock, self, publicAddress } = dependencies;
  return {
    contents: new ContentSecrets(new ProviderRole(sts, roles, clock), secrets),
    tokens: new LicenceTokens(rootKey, clock),
    clock,
    self,
    publicAddress,
    endpoint: undefined,
  };
}
