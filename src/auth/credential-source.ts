import type { Caller } from '#kernel/caller.ts';

/** Why an access key is of no use. */
export type CredentialProblem = 'unknown' | 'inactive' | 'expired' | 'invalid-token';

export interface FoundCredentials {
  readonly secretAccessKey: string;
  readonly caller: Caller;
}

/** Where authentication finds the secret and the principal behind an access key. Implemented by the IAM service. */
export interface CredentialSource {
  findCredentials(
    accessKeyId: string,
    sessionToken: string | undefined,
    now: number,
  ): Promise<FoundCredentials | CredentialProblem>;
}
