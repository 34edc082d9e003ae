import type { M3u8Settings, OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';

/** Of films of 20 pictures a second. */
export const LONGEST_PICTURE_MS = 50;

/** The rules of a transport stream's settings that look at more than one member. */
export function checkTransport(settings: M3u8Settings, pointer: string, problems: Problem[]): void {
  const { PatInterval: pat = 0, PmtInterval: pmt = 0, PtsOffsetMode: mode = 'AUTO', AudioPtsOffsetDelta } = settings;
  if (pat !== pmt) {
    const text = 'Should be equal to patInterval; others are not supported';
    problems.push({ pointer: `${pointer}/pmtInterval`, text });
  }
  const { PcrControl: control, MaxPcrInterval: interval } = settings;
  if (interval !== undefined && control !== 'CONFIGURED_PCR_PERIOD') {
    problems.push({ pointer: `${pointer}/maxPcrInterval`, text: 'Needs pcrControl CONFIGURED_PCR_PERIOD' });
  } else if (interval !== undefined && interval <= LONGEST_PICTURE_MS) {
    const text = `Should be more than ${LONGEST_PICTURE_MS}, as references stand with pictures`;
    problems.push({ pointer: `${pointer}/maxPcrInterval`, text });
  }
  if (mode === 'AUTO' && AudioPtsOffsetDelta !== undefined && AudioPtsOffsetDelta !== 0) {
    problems.push({ pointer: `${pointer}/audioPtsOffsetDelta`, text: 'Needs ptsOffsetMode SECONDS or MILLISECONDS' });
  }
}

/** What is taken from timestamps may not be more than what is added to them: they are not negative. */
export function checkClocks(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const delta = (group.OutputGroupSettings?.HlsGroupSettings?.TimestampDeltaMilliseconds ?? 0) / 1000;
  group.Outputs?.forEach(({ ContainerSettings: container }, index) => {
    const { PtsOffset, PtsOffsetMode: mode, AudioPtsOffsetDelta: audio = 0 } = container?.M3u8Settings ?? {};
    const unit = mode === 'MILLISECONDS' ? 1000 : 1;
    const offset = (PtsOffset === undefined ? 2 : PtsOffset / unit) + delta;
    const at = `${pointer}/outputs/${index}/containerSettings/m3u8Settings`;
    if (delta < 0 && offset < 0) {
      const settings = `${pointer}/outputGroupSettings/hlsGroupSettings`;
      problems.push({ pointer: `${settings}/timestampDeltaMilliseconds`, text: 'Would make timestamps negative' });
    }
    if (audio < 0 && offset + audio / unit < 0) {
      problems.push({ pointer: `${at}/audioPtsOffsetDelta`, text: 'Would make timestamps negative' });
    }
  });
}
