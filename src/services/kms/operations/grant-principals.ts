import type { KmsContext } from '../context.ts';
import type { GrantRecord, PrincipalFilter } from '../grant-store.ts';

const UNIQUE_ID = /^A(?:IDA|ROA)[A-Z0-9]{12,28}$/;
const SESSION_NAME = /:assumed-role\/[^/]+\/(?<session>.+)$/;

/**
 * Which grants are meant by a principal's name in a request: an ARN stands for whom it names now, a unique id for one
 * that may be gone.
 *
 * @returns undefined where there is nobody of that name: no grant is for it
 */
export async function principalFilter(
  name: string | undefined,
  principals: KmsContext['principals'],
): Promise<PrincipalFilter | undefined> {
  if (name === undefined) return {};
  const [id = ''] = name.split(':', 1);
  if (UNIQUE_ID.test(id)) return { uniqueId: id };
  if (!name.startsWith('arn:')) return { name };
  const found = await principals.findPrincipal(name);
  if (found === undefined) return undefined;
  return { name, ...(found.uniqueId !== undefined && { uniqueId: found.uniqueId }) };
}

/**
 * How lists name the principals of grants: those that are gone by their unique ids, since their ARNs are nobody's or
 * somebody else's. AWS's ListGrants does so, too.
 */
export class GrantPrincipals {
  readonly #principals: KmsContext['principals'];
  readonly #ids = new Map<string, string | undefined>();

  constructor(principals: KmsContext['principals']) {
    this.#principals = principals;
  }

  async named(grant: GrantRecord): Promise<GrantRecord> {
    const { grantee, grantee_id, retiring, retiring_id } = grant;
    return {
      ...grant,
      grantee: await this.#nameOf(grantee, grantee_id),
      retiring: retiring === null ? null : await this.#nameOf(retiring, retiring_id),
    };
  }

  async #nameOf(name: string, id: string | null): Promise<string> {
    if (id === null) return name;
    if (!this.#ids.has(name)) this.#ids.set(name, (await this.#principals.findPrincipal(name))?.uniqueId);
    if (this.#ids.get(name) === id) return name;
    const session = SESSION_NAME.exec(name)?.groups?.['session'];
    return session === undefined ? id : `${id}:${session}`;
  }
}
