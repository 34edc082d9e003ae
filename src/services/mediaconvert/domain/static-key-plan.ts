import { createHmac } from 'node:crypto';
import type { CmafEncryptionSettings, HlsEncryptionSettings } from '@aws-sdk/client-mediaconvert';
import type { GroupKey, KeyUse } from '#media/content-encryption.ts';
import { commonPssh } from '#media/packaging/cenc/protected-init.ts';

type Settings = Pick<
  HlsEncryptionSettings & CmafEncryptionSettings,
  'ConstantInitializationVector' | 'StaticKeyProvider'
>;

/** The key that a job names itself. It has no id, and gets one that says nothing of it: players' keys are told apart by it. */
export function staticKey(settings: Settings, use: KeyUse): GroupKey {
  const { ConstantInitializationVector: iv, StaticKeyProvider: provider } = settings;
  const key = Buffer.from(provider?.StaticKeyValue ?? '', 'hex');
  const keyId = createHmac('sha256', key).update('coffer static content key id').digest().subarray(0, 16);
  return {
    use,
    key,
    keyId,
    ...(iv !== undefined && { iv: Buffer.from(iv, 'hex') }),
    playlists: [
      {
        kind: 'address',
        uri: provider?.Url ?? '',
        ...(provider?.KeyFormat !== undefined && { keyFormat: provider.KeyFormat }),
        ...(provider?.KeyFormatVersions !== undefined && { keyFormatVersions: provider.KeyFormatVersions }),
      },
    ],
    dash: [],
    smooth: [],
    psshs: [commonPssh(keyId)],
  };
}
