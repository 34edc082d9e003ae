import { formatArn } from '#kernel/arn.ts';
import type { RoleSessionCaller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Authority } from '#kernel/door.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { ServiceLinkedRoles } from '#services/iam/api.ts';
import type { StsApi } from '#services/sts/api.ts';
import { API_ID } from './domain/addresses.ts';
import { accessDenied } from './errors.ts';

const SERVICE = 'execute-api.amazonaws.com';
const ROLE = 'AWSServiceRoleForCofferKeyProvider';
const SESSION_SECONDS = 3600;
/** Before a session ends, a new one is taken. */
const MARGIN_MS = 5 * 60_000;

/** In whose account and region the provider works. */
export interface ContentOwner {
  readonly account: AccountId;
  readonly region: Region;
}

/**
 * The role with which the provider keeps content keys: one in each account that uses it, with a policy that ends at the
 * secrets `speke/*`. Where it is not there it is made.
 *
 * INVARIANT: the provider reaches Secrets Manager with this role alone.
 */
export class ProviderRole {
  readonly #sts: StsApi;
  readonly #roles: ServiceLinkedRoles;
  readonly #clock: Clock;
  readonly #sessions = new Map<AccountId, RoleSessionCaller>();

  constructor(sts: StsApi, roles: ServiceLinkedRoles, clock: Clock) {
    this.#sts = sts;
    this.#roles = roles;
    this.#clock = clock;
  }

  /**
   * Does `work` as the role.
   *
   * @param requestId of the call that led to it, for the audit log
   * @throws ServiceError AccessDeniedException where the role may not be assumed any more, or what `work` throws
   */
  async run<Result>(
    owner: ContentOwner,
    requestId: string,
    work: (authority: Authority) => Promise<Result>,
  ): Promise<Result> {
    const known = this.#sessions.get(owner.account);
    if (known !== undefined && known.session.expiresAt - MARGIN_MS > this.#clock.now()) {
      try {
        return await work(authorityOf(known, owner, requestId));
      } catch (error) {
        // The role may be another than the one that the session is of.
        if (!isDenied(error)) throw error;
      }
    }
    const session = await this.#assume(owner, requestId);
    this.#sessions.set(owner.account, session);
    return work(authorityOf(session, owner, requestId));
  }

  async #assume(owner: ContentOwner, requestId: string): Promise<RoleSessionCaller> {
    const arn = formatArn({
      service: 'iam',
      account: owner.account,
      resource: `role/aws-service-role/${SERVICE}/${ROLE}`,
    });
    const sourceArn = formatArn({ service: 'execute-api', ...owner, resource: API_ID });
    const service = { type: 'service', service: SERVICE, sourceAccount: owner.account, sourceArn } as const;
    const authority = authorityOf(service, owner, requestId);
    const input = { RoleArn: arn, RoleSessionName: 'content-keys', DurationSeconds: SESSION_SECONDS };
    const assume = async () => (await this.#sts.assumeRole(input, authority)).caller;
    try {
      return await assume();
    } catch (error) {
      if (!isDenied(error)) throw error;
    }
    try {
      await this.#roles.create(SERVICE, authority);
      return await assume();
    } catch (error) {
      // Somebody else has made it meanwhile; or it is there, and trusts the provider no more.
      if (error instanceof ServiceError && error.code === 'EntityAlreadyExists') {
        return assume().catch((cause: unknown) => {
          throw isDenied(cause) ? accessDenied(`The key provider may not assume the role ${arn}.`) : cause;
        });
      }
      throw error;
    }
  }
}

function authorityOf(caller: Authority['caller'], { region }: ContentOwner, requestId: string): Authority {
  return { caller, region, via: [], requestId, userAgent: SERVICE, sourceIp: SERVICE };
}

function isDenied(error: unknown): boolean {
  return error instanceof ServiceError && /^AccessDenied(Exception)?$/.test(error.code);
}
