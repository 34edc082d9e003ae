import type { AccessRefusal, Authority, Door } from '#kernel/door.ts';
import type { SpekeVersion } from '#media/cpix/document.ts';
import { type OwnAddress, ownAddressOf } from './domain/addresses.ts';
import type { Answer, ContentKeyRequest, LicenceRequest } from './schemas.ts';

/** The key provider for other services: each call is validated, authorised and audited as one from a socket. */
export class KeyProviderApi {
  readonly #door: Door;
  readonly #domains: readonly string[];

  /** @param domains names under which the installation is reached */
  constructor(door: Door, domains: readonly string[]) {
    this.#door = door;
    this.#domains = domains;
  }

  /** `undefined` for an address of somebody else's; the Region where the address names it. */
  find(url: string): OwnAddress | undefined {
    return ownAddressOf(url, this.#domains);
  }

  /**
   * Sends a CPIX document, as POST to an own address of the provider does.
   *
   * @param authority whose rights to `execute-api:Invoke` are asked for: of a job, its role's session
   * @returns the answer's CPIX document
   * @throws ServiceError AccessDeniedException, UnprocessableEntityException and others as the provider answers
   */
  async requestContentKeys(document: string, version: SpekeVersion, authority: Authority): Promise<Buffer> {
    const input = { Body: Buffer.from(document), ...(version !== '1.0' && { SpekeVersion: version }) };
    return (await this.#call('RequestContentKeys', input, authority)).Body;
  }

  /** @throws ServiceError as GetLicence answers */
  getLicence(input: LicenceRequest, authority: Authority): Promise<Answer> {
    return this.#call('GetLicence', input, authority);
  }

  /** @throws ServiceError as GetContentKey answers */
  getContentKey(input: ContentKeyRequest, authority: Authority): Promise<Answer> {
    return this.#call('GetContentKey', input, authority);
  }

  /** What of a request for keys would be refused; none for one that would be taken. */
  refusals(authority: Authority): Promise<readonly AccessRefusal[]> {
    return this.#door.refusals('key-provider', 'RequestContentKeys', {}, authority);
  }

  async #call(operation: string, input: object, authority: Authority): Promise<Answer> {
    return (await this.#door.invoke('key-provider', operation, input, authority)) as Answer;
  }
}
