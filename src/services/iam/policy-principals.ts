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

  /** @param document a valid policy; names of nobody stay as they are */
  bind(document: string): Promise<string> {
    return replacePrincipals(document, (name) => this.#idOf(name));
  }

  /** @param document as `bind` has made it; ids of deleted users and roles stay as they are */
  show(document: string): Promise<string> {
    return replacePrincipals(document, (name) => arnOfId(name, this.#store.read));
  }

  async #idOf(name: string): Promise<string | undefined> {
    for (const kind of ['user', 'role'] as const) {
      const parts = parseIamArn(kind, name);
      if (parts === undefined) continue;
      const found = await this.#store.findPrincipal(parts.account, kind, parts.name);
      return found !== undefined && principalArn(kind, found) === name ? found.id : undefined;
    }
    return undefined;
  }
}
