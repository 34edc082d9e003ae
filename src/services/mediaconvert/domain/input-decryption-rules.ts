import type { InputDecryptionSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, type SettingRule, structure } from './setting-rule.ts';

const REQUIRED = ['decryptionMode', 'encryptedDecryptionKey', 'initializationVector'] as const;
/** The characters of 12 bytes in base64; the service's model allows these and those of 16 bytes. */
const SHORT_VECTOR = 16;

/** Of an input that was encrypted before it was stored. */
export const inputDecryption: SettingRule<InputDecryptionSettings> = allOf(
  check,
  structure<InputDecryptionSettings>({
    DecryptionMode: carriedOut,
    EncryptedDecryptionKey: carriedOut,
    InitializationVector: carriedOut,
    KmsKeyRegion: carriedOut,
  }),
);

function check(settings: InputDecryptionSettings, pointer: string, problems: Problem[]): void {
  const { DecryptionMode: mode, EncryptedDecryptionKey: key, InitializationVector: iv } = settings;
  [mode, key, iv].forEach((value, index) => {
    if (value === undefined) problems.push({ pointer, text: `${REQUIRED[index]} is a required property` });
  });
  if (mode === 'AES_CBC' && iv?.length === SHORT_VECTOR) {
    const text = 'Should be a 16-byte initialization vector; one of 12 bytes is only allowed with AES_GCM and AES_CTR';
    problems.push({ pointer: `${pointer}/initializationVector`, text });
  }
  if (key !== undefined && key.length % 4 !== 0) {
    problems.push({ pointer: `${pointer}/encryptedDecryptionKey`, text: 'Should be base64' });
  }
}
