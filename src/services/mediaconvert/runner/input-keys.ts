import type { Input, InputDecryptionSettings } from '@aws-sdk/client-mediaconvert';
import type { Caller } from '#kernel/caller.ts';
import { asRegion, type Region } from '#kernel/ids.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '#media/transcode-error.ts';
import type { KmsApi } from '#services/kms/api.ts';

const SERVICE = 'mediaconvert.amazonaws.com';
/** What a data key has to be encrypted with: a role that may decrypt for MediaConvert opens nothing else with it. */
export const DATA_KEY_CONTEXT = { service: SERVICE };
const KEY_LENGTHS: readonly number[] = [16, 24, 32];

/**
 * Has KMS decrypt the data keys of the inputs that were encrypted before they were stored, in the name of the job's
 * role. The caller overwrites them.
 *
 * @returns in the inputs' order; `undefined` for inputs in the clear
 * @throws TranscodeError 1401 when KMS refuses
 */
export async function decryptInputKeys(
  kms: KmsApi,
  inputs: readonly Input[],
  caller: Caller,
  region: Region,
): Promise<(Uint8Array | undefined)[]> {
  const keys: (Uint8Array | undefined)[] = [];
  try {
    for (const { FileInput, DecryptionSettings } of inputs) {
      const key = DecryptionSettings && (await decryptKey(kms, FileInput ?? '', DecryptionSettings, caller, region));
      keys.push(key);
    }
    return keys;
  } catch (error) {
    for (const key of keys) key?.fill(0);
    throw error;
  }
}

async function decryptKey(
  kms: KmsApi,
  uri: string,
  settings: InputDecryptionSettings,
  caller: Caller,
  jobRegion: Region,
): Promise<Uint8Array> {
  const region = settings.KmsKeyRegion === undefined ? jobRegion : asRegion(settings.KmsKeyRegion);
  const CiphertextBlob = Buffer.from(settings.EncryptedDecryptionKey ?? '', 'base64');
  try {
    const { Plaintext: key } = await kms.decrypt(
      { CiphertextBlob, EncryptionContext: DATA_KEY_CONTEXT },
      { caller, region, via: [], userAgent: SERVICE, sourceIp: SERVICE },
    );
    if (key !== undefined && KEY_LENGTHS.includes(key.length)) return key;
    key?.fill(0);
    throw refusal(ERROR_CODES.inputUnreadable, uri, `it has ${key?.length ?? 0} bytes, and not 16, 24 or 32`);
  } catch (error) {
    if (!(error instanceof ServiceError) || !error.isClientFault) throw error;
    throw refusal(ERROR_CODES.accessDenied, uri, reasonOf(error, region));
  }
}

function refusal(code: number, uri: string, reason: string): TranscodeError {
  return new TranscodeError(code, unableToOpen(uri, `Can't decrypt the data key of the input: ${reason}`));
}

function reasonOf({ code, message }: ServiceError, region: Region): string {
  const isOfNoKeyHere = code === 'AccessDeniedException' && message.includes('on this resource');
  if (isOfNoKeyHere) return `${code}: ${message} (it was looked for in ${region}; kmsKeyRegion names another Region)`;
  if (code !== 'InvalidCiphertextException') return `${code}: ${message}`;
  return `${code}: it was not encrypted by KMS with the encryption context ${JSON.stringify(DATA_KEY_CONTEXT)}`;
}
