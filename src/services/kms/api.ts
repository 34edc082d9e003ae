import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  GenerateDataKeyRequest,
  GenerateDataKeyResponse,
} from '@aws-sdk/client-kms';
import type { Authority, Door } from '#kernel/door.ts';
import { ServiceError } from '#kernel/service-error.ts';

/** KMS for other services: each call is validated, authorised and audited as one that came from a socket. */
export class KmsApi {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async generateDataKey(input: GenerateDataKeyRequest, authority: Authority): Promise<GenerateDataKeyResponse> {
    return (await this.#door.invoke('kms', 'GenerateDataKey', input, authority)) as GenerateDataKeyResponse;
  }

  async decrypt(input: DecryptRequest, authority: Authority): Promise<DecryptResponse> {
    return (await this.#door.invoke('kms', 'Decrypt', input, authority)) as DecryptResponse;
  }

  async encrypt(input: EncryptRequest, authority: Authority): Promise<EncryptResponse> {
    return (await this.#door.invoke('kms', 'Encrypt', input, authority)) as EncryptResponse;
  }

  /**
   * Asks whether the caller may decrypt now (permission and key state), without decrypting: for those who hold a data
   * key that AWS's own semantics let them cache.
   *
   * @throws ServiceError as Decrypt would
   */
  async checkDecrypt(input: DecryptRequest, authority: Authority): Promise<void> {
    await passDryRun(this.#door.invoke('kms', 'Decrypt', { ...input, DryRun: true }, authority));
  }

  /**
   * As `checkDecrypt`, where there is no ciphertext yet: an AWS managed key that is asked about is made.
   *
   * @param input names the key
   */
  async checkDecryptWith(
    input: Pick<DecryptRequest, 'KeyId' | 'EncryptionContext'>,
    authority: Authority,
  ): Promise<void> {
    await this.checkDecrypt({ ...input, CiphertextBlob: undefined, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }, authority);
  }

  /** As `checkDecrypt`, for GenerateDataKey. */
  async checkGenerateDataKey(input: GenerateDataKeyRequest, authority: Authority): Promise<void> {
    await passDryRun(this.#door.invoke('kms', 'GenerateDataKey', { ...input, DryRun: true }, authority));
  }
}

async function passDryRun(run: Promise<unknown>): Promise<void> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'DryRunOperationException') throw error;
  }
}
