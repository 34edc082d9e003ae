import type { CmafEncryptionSettings, HlsEncryptionSettings } from '@aws-sdk/client-mediaconvert';
import { ANY_USE, type ContentEncryption, type GroupKey } from '#media/content-encryption.ts';
import { staticKey } from './static-key-plan.ts';

type Keys = readonly GroupKey[] | undefined;

/**
 * @param settings passed the rules
 * @param keys of the key provider, where the settings name one
 */
export function planHlsEncryption(settings: HlsEncryptionSettings, keys: Keys): ContentEncryption {
  return {
    method: settings.EncryptionMethod === 'SAMPLE_AES' ? 'SAMPLE-AES' : 'AES-128',
    isIvListed: settings.InitializationVectorInManifest !== 'EXCLUDE',
    isSessionKeyWritten: settings.OfflineEncrypted === 'ENABLED',
    clearSegments: 0,
    keys: settings.Type === 'SPEKE' ? ordered(keys) : [staticKey(settings, ANY_USE)],
  };
}

export function planCmafEncryption(settings: CmafEncryptionSettings, keys: Keys): ContentEncryption {
  return {
    method: settings.EncryptionMethod === 'AES_CTR' ? 'SAMPLE-AES-CTR' : 'SAMPLE-AES',
    isIvListed: settings.InitializationVectorInManifest !== 'EXCLUDE',
    isSessionKeyWritten: false,
    clearSegments: settings.ClearLeadSegments ?? 0,
    keys: settings.Type === 'SPEKE' ? ordered(keys) : [staticKey(settings, ANY_USE)],
  };
}

/** Of DASH and Smooth groups, which have keys of providers alone. */
export function planProvidedEncryption(keys: Keys): ContentEncryption {
  return {
    method: 'SAMPLE-AES-CTR',
    isIvListed: false,
    isSessionKeyWritten: false,
    clearSegments: 0,
    keys: ordered(keys),
  };
}

/** INVARIANT: a group that is to be encrypted never goes out in the clear because nobody asked for its keys. */
function ordered(keys: Keys): readonly GroupKey[] {
  if (keys === undefined || keys.length === 0) throw new Error('The keys of a group were not asked for.');
  return keys;
}
