import type { HlsEncryptionSettings } from '@aws-sdk/client-mediaconvert';
import type { HlsEncryption } from '#media/output-group.ts';

/** @param settings passed the rules */
export function planHlsEncryption(settings: HlsEncryptionSettings): HlsEncryption {
  const { ConstantInitializationVector: iv, StaticKeyProvider: provider } = settings;
  return {
    method: settings.EncryptionMethod === 'SAMPLE_AES' ? 'SAMPLE-AES' : 'AES-128',
    key: Buffer.from(provider?.StaticKeyValue ?? '', 'hex'),
    ...(iv !== undefined && { iv: Buffer.from(iv, 'hex') }),
    isIvListed: settings.InitializationVectorInManifest !== 'EXCLUDE',
    keyUri: provider?.Url ?? '',
    ...(provider?.KeyFormat !== undefined && { keyFormat: provider.KeyFormat }),
    ...(provider?.KeyFormatVersions !== undefined && { keyFormatVersions: provider.KeyFormatVersions }),
    isSessionKeyWritten: settings.OfflineEncrypted === 'ENABLED',
  };
}
