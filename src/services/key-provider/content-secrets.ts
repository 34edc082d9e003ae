import type { Authority } from '#kernel/door.ts';
import { SerialQueues } from '#kernel/serial-queues.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { SecretsManagerApi } from '#services/secrets-manager/api.ts';
import { ContentKeys, ContentKeysError, MAX_KIDS } from './domain/content-keys.ts';
import { accessDenied, badRequest, gone } from './errors.ts';
import type { ContentOwner, ProviderRole } from './provider-role.ts';

const DESCRIPTION = 'The content keys of one content. Deleting it makes everything unreadable that they protect.';

/**
 * The keys of contents, each content's in one secret of its owner's account: `speke/<content id>`.
 *
 * INVARIANT: nothing is kept of them here, so that a secret that is deleted is gone at once.
 */
export class ContentSecrets {
  readonly #role: ProviderRole;
  readonly #secrets: SecretsManagerApi;
  readonly #queues = new SerialQueues();

  constructor(role: ProviderRole, secrets: SecretsManagerApi) {
    this.#role = role;
    this.#secrets = secrets;
  }

  /** `undefined` where there are none. @throws ServiceError */
  find(owner: ContentOwner, contentId: string, requestId: string): Promise<ContentKeys | undefined> {
    return this.#role
      .run(owner, requestId, (authority) => this.#read(contentId, authority))
      .catch(asProviderError(contentId));
  }

  /** The keys, of which `kids` are some from now on; what is not there is made. @throws ServiceError */
  provide(owner: ContentOwner, contentId: string, kids: readonly string[], requestId: string): Promise<ContentKeys> {
    const work = (authority: Authority) => this.#provide(contentId, kids, authority);
    // One after the other: each writes down the ids that it has found and its own.
    return this.#queues
      .run(`${owner.account}/${owner.region}/${contentId}`, () => this.#role.run(owner, requestId, work))
      .catch(asProviderError(contentId));
  }

  async #provide(contentId: string, kids: readonly string[], authority: Authority): Promise<ContentKeys> {
    const found = (await this.#read(contentId, authority)) ?? (await this.#create(contentId, kids, authority));
    if (kids.every((kid) => found.kids.has(kid))) return found;
    const more = found.with(kids);
    if (more.kids.size > MAX_KIDS) throw badRequest(`A content has at most ${MAX_KIDS} keys.`);
    await this.#secrets.putSecretValue({ SecretId: nameOf(contentId), SecretString: more.write() }, authority);
    return more;
  }

  async #create(contentId: string, kids: readonly string[], authority: Authority): Promise<ContentKeys> {
    const made = ContentKeys.create(kids);
    const request = { Name: nameOf(contentId), Description: DESCRIPTION, SecretString: made.write() };
    try {
      await this.#secrets.createSecret(request, authority);
      return made;
    } catch (error) {
      const found = isCode(error, 'ResourceExistsException') ? await this.#read(contentId, authority) : undefined;
      if (found === undefined) throw error;
      return found;
    }
  }

  async #read(contentId: string, authority: Authority): Promise<ContentKeys | undefined> {
    try {
      const { SecretString } = await this.#secrets.getSecretValue({ SecretId: nameOf(contentId) }, authority);
      return ContentKeys.read(SecretString);
    } catch (error) {
      if (isCode(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  }
}

function nameOf(contentId: string): string {
  return `speke/${contentId}`;
}

function isCode(error: unknown, code: string): error is ServiceError {
  return error instanceof ServiceError && error.code === code;
}

/** What Secrets Manager's refusals mean for who asks for a key. */
function asProviderError(contentId: string): (error: unknown) => never {
  const name = nameOf(contentId);
  return (error) => {
    if (error instanceof ContentKeysError) throw badRequest(`The secret ${name} does not hold content keys.`);
    if (!(error instanceof ServiceError) || !error.isClientFault) throw error;
    if (error.code === 'InvalidRequestException') throw gone(`The secret ${name} is scheduled for deletion.`);
    if (isCode(error, 'AccessDeniedException') || isCode(error, 'DecryptionFailure')) {
      throw accessDenied(`The key provider could not use the secret ${name}: ${error.message}`);
    }
    throw error;
  };
}
