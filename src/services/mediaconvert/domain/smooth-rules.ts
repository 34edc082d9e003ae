import type { MsSmoothGroupSettings, OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkDestination } from './cross-setting-rules.ts';
import { destinationSettings } from './destination-rules.ts';
import { additionalManifest } from './manifest-rules.ts';
import { smoothEncryption } from './fragmented-encryption-rules.ts';
import { type SettingRule, carriedOut, each, structure } from './setting-rule.ts';

export const smoothGroup: SettingRule<MsSmoothGroupSettings> = structure<MsSmoothGroupSettings>({
  Destination: checkDestination,
  DestinationSettings: destinationSettings,
  Encryption: smoothEncryption,
  FragmentLength: carriedOut,
  FragmentLengthControl: carriedOut,
  ManifestEncoding: carriedOut,
  AudioDeduplication: carriedOut,
  AdditionalManifests: each(additionalManifest),
});

/** The codecs that Smooth Streaming has names for, of those that are here. */
export function checkSmoothOutputs(group: OutputGroup, pointer: string, problems: Problem[]): void {
  if (group.OutputGroupSettings?.Type !== 'MS_SMOOTH_GROUP_SETTINGS') return;
  group.Outputs?.forEach(({ VideoDescription: video, AudioDescriptions: audios = [] }, index) => {
    const refuse = (at: string, codec: string): void => {
      const text = `Should be ${codec} in a Smooth Streaming group; others are not supported`;
      problems.push({ pointer: `${pointer}/outputs/${index}/${at}/codecSettings/codec`, text });
    };
    const codec = video?.CodecSettings?.Codec;
    if (codec !== undefined && codec !== 'H_264') refuse('videoDescription', 'H_264');
    audios.forEach(({ CodecSettings: settings }, track) => {
      if (settings?.Codec !== undefined && settings.Codec !== 'AAC') refuse(`audioDescriptions/${track}`, 'AAC');
    });
  });
}
