import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { parseIamArn, principalArn } from './domain/identifiers.ts';
import { replacePrincipals } from './domain/named-principals.ts';
import { arnOfId } from './domain/trust-policy.ts';
import type { IamStore } from './store.ts';

/**
 * The users and roles that policies of resources name. Such a policy is kept with their unique ids, so that who takes the name
 * of a deleted user or role later does not inherit what was meant for that one; and is shown with their ARNs again, as long as
 * they are there. The rest of the text stays as it was written.
 */
export class PolicyPrincipals {
  readonly #store: IamStore;

  constructor(store: IamStore) {
    this.#store = store;
  }

  /**
   * @param document a valid policy
   * @param refuse makes the service's error of a user or role that there is not, and where it is named
   */
  bind(document: string, refuse: (error: PolicyDocumentError) => Error): Promise<string> {
    return replacePrincipals(document, async (name, at) => {
      const bound = await this.#idOf(name);
      if (bound !== 'absent') return bound;
      const detail = `there is no such user or role: ${name}`;
      throw refuse(new PolicyDocumentError('invalid-principal', 'Invalid principal in policy', detail, document, at));
    });
  }

  /** @param document as `bind` has made it; ids of deleted users and roles stay as they are */
  show(document: string): Promise<string> {
    return replacePrincipals(document, (name) => arnOfId(name, this.#store.read));
  }

  /** `undefined` for what is no ARN of a user or role. */
  async #idOf(name: string): Promise<string | undefined> {
    for (const kind of ['user', 'role'] as const) {
      const parts = parseIamArn(kind, name);
      if (parts === undefined) continue;
      const found = await this.#store.findPrincipal(parts.account, kind, parts.name);
      return found !== undefined && principalArn(kind, found) === name ? found.id : 'absent';
    }
    return undefined;
  }
}
