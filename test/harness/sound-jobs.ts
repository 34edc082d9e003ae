import { randomBytes } from 'node:crypto';
import type { AudioDescription, OutputGroup } from '@aws-sdk/client-mediaconvert';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ContentHost } from './content-host.ts';
import type { MediaAccount } from './media-account.ts';
import { hlsLadder } from './media-job.ts';

/** The group, with this sound in place of its own. */
export function withSound(group: OutputGroup, sound: AudioDescription): OutputGroup {
  const Outputs = (group.Outputs ?? []).map((output) =>
    output.AudioDescriptions === undefined ? output : { ...output, AudioDescriptions: [sound] },
  );
  return { ...group, Outputs };
}

/** `outputs/samples/film`: HLS whose samples are encrypted, under a key that the host gives. */
export async function sampleAesGroup(account: MediaAccount, host: ContentHost): Promise<OutputGroup> {
  const Body = randomBytes(16);
  await account.s3.send(new PutObjectCommand({ Bucket: 'outputs', Key: 'key', Body }));
  const group = hlsLadder({ destination: 's3://outputs/samples/film' });
  const settings = group.OutputGroupSettings ?? {};
  const Encryption = {
    Type: 'STATIC_KEY',
    EncryptionMethod: 'SAMPLE_AES',
    InitializationVectorInManifest: 'INCLUDE',
    StaticKeyProvider: { StaticKeyValue: Body.toString('hex'), Url: `${host.address}/content/key` },
  } as const;
  return {
    ...group,
    OutputGroupSettings: { ...settings, HlsGroupSettings: { ...settings.HlsGroupSettings, Encryption } },
  };
}

/** `outputs/smooth/film`. */
export function smoothGroup(): OutputGroup {
  const [picture] = hlsLadder({ destination: '' }).Outputs ?? [];
  return {
    OutputGroupSettings: {
      Type: 'MS_SMOOTH_GROUP_SETTINGS',
      MsSmoothGroupSettings: { Destination: 's3://outputs/smooth/film', FragmentLength: 2 },
    },
    Outputs: [{ ...picture, ContainerSettings: { Container: 'ISMV' } }],
  };
}
