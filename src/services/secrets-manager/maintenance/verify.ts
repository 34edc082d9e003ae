import { DecryptionError } from '#crypto/decryption-error.ts';
import type { SecretsManagerContext } from '../context.ts';
import { arnOf } from '../secrets.ts';
import type { SecretRow, VersionRow } from '../store.ts';
import { decryptRequest, openValue } from '../values.ts';

interface SecretDamage {
  readonly what: string;
  readonly damage: string;
}

/**
 * Opens a KMS ciphertext on the operator's own authority: who holds the root key holds every key under it.
 *
 * @throws when it does not open
 */
type OperatorDecrypt = (request: {
  readonly CiphertextBlob: Uint8Array;
  readonly KeyId: string;
  readonly EncryptionContext: Readonly<Record<string, string>>;
}) => Promise<Uint8Array>;

/** Opens every version of every secret. @returns `undefined` for each that is sound */
export async function* verifySecrets(
  { store }: SecretsManagerContext,
  decrypt: OperatorDecrypt,
): AsyncGenerator<SecretDamage | undefined> {
  for (const secret of await store.allUnchecked()) {
    for await (const version of store.versionsUnchecked(secret.id)) {
      if (version.kind === 'none') continue;
      const isSound = await opens(secret, version, decrypt);
      yield isSound
        ? undefined
        : { what: `${arnOf(secret)} version ${version.version_id}`, damage: 'its value or its key does not open' };
    }
  }
}

async function opens(secret: SecretRow, version: VersionRow, decrypt: OperatorDecrypt): Promise<boolean> {
  try {
    const dataKey = await decrypt(decryptRequest(secret, version));
    openValue(secret.id, version, dataKey).bytes.fill(0);
    return true;
  } catch (error) {
    if (error instanceof DecryptionError) return false;
    throw error;
  }
}
