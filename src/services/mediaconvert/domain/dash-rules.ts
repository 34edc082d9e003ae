import type { OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { isSingleFile } from './group-facts.ts';

/** The rules of MPDs, and of AV1 in the fragments that they name. */
export function checkDash(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const { DashIsoGroupSettings: dash, CmafGroupSettings: cmaf } = group.OutputGroupSettings ?? {};
  const at = `${pointer}/outputGroupSettings/dashIsoGroupSettings`;
  if (dash?.HbbtvCompliance === 'HBBTV_1_5' && isSingleFile(dash)) {
    problems.push({ pointer: `${at}/hbbtvCompliance`, text: 'HBBTV_1_5 needs segmentControl SEGMENTED_FILES' });
  }
  const isDolby = dash?.AudioChannelConfigSchemeIdUri === 'DOLBY_CHANNEL_CONFIGURATION';
  const encryption = dash?.Encryption ?? cmaf?.Encryption;
  group.Outputs?.forEach(({ AudioDescriptions: audios = [], VideoDescription: video }, index) => {
    if (encryption !== undefined && video?.CodecSettings?.Codec === 'AV1') {
      const codec = `${pointer}/outputs/${index}/videoDescription/codecSettings/codec`;
      problems.push({ pointer: codec, text: 'AV1 is not supported with encryption' });
    }
    audios.forEach(({ CodecSettings: settings }, track) => {
      const codec = settings?.Codec;
      if (!isDolby || codec === 'AC3' || codec === 'EAC3' || codec === undefined) return;
      const place = `${pointer}/outputs/${index}/audioDescriptions/${track}/codecSettings/codec`;
      problems.push({ pointer: place, text: 'Should be AC3 or EAC3 with DOLBY_CHANNEL_CONFIGURATION' });
    });
  });
}
