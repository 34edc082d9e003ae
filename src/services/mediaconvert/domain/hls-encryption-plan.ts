import type { HlsEncryptionSettings } from '@aws-sdk/client-mediaconvert';
import { ANY_USE, type ContentEncryption } from '#media/content-encryption.ts';
import { staticKey } from './static-key-plan.ts';

/** @param settings passed the rules */
export function planHlsEncryption(settings: HlsEncryptionSettings): ContentEncryption {
  return {
    method: settings.EncryptionMethod === 'SAMPLE_AES' ? 'SAMPLE-AES' : 'AES-128',
    isIvListed: settings.InitializationVectorInManifest !== 'EXCLUDE',
    isSessionKeyWritten: settings.OfflineEncrypted === 'ENABLED',
    clearSegments: 0,
    keys: [staticKey(settings, ANY_USE)],
  };
}
