import type { AssumeRoleRequest, AssumeRoleResponse, Credentials } from '@aws-sdk/client-sts';
import type { RoleSessionCaller } from '#kernel/caller.ts';
import type { Authority, Door } from '#kernel/door.ts';
import type { IamApi } from '#services/iam/api.ts';

/** A role's session as a service holds it: the credentials for requests over HTTP, and the caller for the door. */
export interface RoleSession {
  readonly credentials: Credentials;
  readonly caller: RoleSessionCaller;
}

/** STS for other services: each call is validated, authorised and audited as one that came from a socket. */
export class StsApi {
  readonly #door: Door;
  readonly #iam: IamApi;

  constructor(door: Door, iam: IamApi) {
    this.#door = door;
    this.#iam = iam;
  }

  /**
   * Assumes a role: in a service's own name with `{ type: 'service', service, sourceAccount, sourceArn }` as caller.
   * @throws ServiceError AccessDenied when the role does not trust the caller
   */
  async assumeRole(input: AssumeRoleRequest, authority: Authority): Promise<RoleSession> {
    const output = (await this.#door.invoke('sts', 'AssumeRole', input, authority)) as AssumeRoleResponse;
    const credentials = output.Credentials;
    if (credentials?.AccessKeyId === undefined) throw new Error('AssumeRole answered without credentials.');
    const issuedNow = 0;
    const found = await this.#iam.findCredentials(credentials.AccessKeyId, credentials.SessionToken, issuedNow);
    if (typeof found === 'string' || found.caller.type !== 'assumed-role') {
      throw new Error('The session that was just made is not there.');
    }
    return { credentials, caller: found.caller };
  }

  /** Whether there is such a role: a refusal to assume it does not tell. */
  async hasRole(arn: string): Promise<boolean> {
    return (await this.#iam.findRole(arn)) !== undefined;
  }
}
