import type {
  CmfcSettings,
  HlsGroupSettings,
  Id3Insertion,
  MpdSettings,
  Output,
  OutputGroup,
  TimedMetadataInsertion,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { isCaptionOutput } from './caption-output-rules.ts';
import { allOf, carriedOut, each, missing, type SettingRule, structure } from './setting-rule.ts';

/** Tags at times of the outputs. */
export const timedMetadataInsertion: SettingRule<TimedMetadataInsertion> = structure<TimedMetadataInsertion>({
  Id3Insertions: each(allOf(checkInsertion, structure<Id3Insertion>({ Id3: carriedOut, Timecode: carriedOut }))),
});

function checkInsertion({ Id3: tag, Timecode: timecode }: Id3Insertion, pointer: string, problems: Problem[]): void {
  if (timecode === undefined) problems.push(missing(pointer, 'timecode'));
  if (tag === undefined) problems.push(missing(pointer, 'id3'));
  else if (Buffer.from(tag, 'base64').toString('latin1', 0, 3) !== 'ID3') {
    problems.push({ pointer: `${pointer}/id3`, text: 'Should be a whole ID3 tag in base64' });
  }
}

/** What bears on tags says nothing without them. */
export function checkEvents(settings: CmfcSettings | MpdSettings, pointer: string, problems: Problem[]): void {
  if (settings.TimedMetadata === 'PASSTHROUGH') return;
  const named = [
    [settings.ManifestMetadataSignaling === 'ENABLED', 'manifestMetadataSignaling'],
    [settings.TimedMetadataBoxVersion === 'VERSION_1', 'timedMetadataBoxVersion'],
    [settings.TimedMetadataSchemeIdUri !== undefined, 'timedMetadataSchemeIdUri'],
    [settings.TimedMetadataValue !== undefined, 'timedMetadataValue'],
  ] as const;
  for (const [isSaid, member] of named) {
    if (isSaid) problems.push({ pointer: `${pointer}/${member}`, text: 'Needs timedMetadata PASSTHROUGH' });
  }
}

/** Where tags have a place. */
export function checkTimedMetadata(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const hls = group.OutputGroupSettings?.HlsGroupSettings;
  if (hls !== undefined) checkPeriod(hls, `${pointer}/outputGroupSettings/hlsGroupSettings`, problems);
  (group.Outputs ?? []).forEach((output, index) => {
    const { M3u8Settings: m3u8, CmfcSettings: cmfc, MpdSettings: mpd } = output.ContainerSettings ?? {};
    for (const [settings, member] of [
      [m3u8, 'm3u8Settings'],
      [cmfc, 'cmfcSettings'],
      [mpd, 'mpdSettings'],
    ] as const) {
      const text = settings?.TimedMetadata === 'PASSTHROUGH' ? whyNot(output, hls) : undefined;
      if (text === undefined) continue;
      problems.push({ pointer: `${pointer}/outputs/${index}/containerSettings/${member}/timedMetadata`, text });
    }
  });
}

function whyNot(output: Output, hls: HlsGroupSettings | undefined): string | undefined {
  if (isCaptionOutput(output)) return 'PASSTHROUGH is not supported in outputs of captions alone';
  if (hls === undefined) return undefined;
  const isPacked =
    output.VideoDescription === undefined && output.OutputSettings?.HlsSettings?.AudioOnlyContainer !== 'M2TS';
  if (isPacked) return 'PASSTHROUGH of sound alone needs audioOnlyContainer M2TS';
  const isSamples = hls.Encryption?.EncryptionMethod === 'SAMPLE_AES';
  return isSamples ? 'PASSTHROUGH is not supported with encryptionMethod SAMPLE_AES' : undefined;
}

function checkPeriod({ TimedMetadataId3Period: period }: HlsGroupSettings, pointer: string, problems: Problem[]): void {
  if (period === undefined || period >= 1) return;
  problems.push({ pointer: `${pointer}/timedMetadataId3Period`, text: 'Should be greater than or equal to 1' });
}
