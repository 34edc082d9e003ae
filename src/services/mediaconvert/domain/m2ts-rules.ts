import type { M2tsSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, emptyOnly, oneOf, type SettingRule, structure, withoutEffect } from './setting-rule.ts';

/** What of files that are one transport stream is carried out. */
export const m2ts: SettingRule<M2tsSettings> = allOf(
  checkM2ts,
  structure<M2tsSettings>({
    PmtPid: carriedOut,
    VideoPid: carriedOut,
    AudioPids: carriedOut,
    PcrPid: carriedOut,
    ProgramNumber: carriedOut,
    TransportStreamId: carriedOut,
    RateMode: carriedOut,
    Bitrate: carriedOut,
    NullPacketBitrate: carriedOut,
    PcrControl: carriedOut,
    MaxPcrInterval: carriedOut,
    PatInterval: carriedOut,
    PmtInterval: carriedOut,
    AudioFramesPerPes: carriedOut,
    AudioBufferModel: carriedOut,
    BufferModel: carriedOut,
    PtsOffset: carriedOut,
    PtsOffsetMode: carriedOut,
    AudioPtsOffsetDelta: oneOf(0),
    AudioDuration: carriedOut,
    EsRateInPes: oneOf('EXCLUDE'),
    PreventBufferUnderflow: oneOf('DISABLED'),
    // The random access indicator stands at every key frame in any case.
    SegmentationMarkers: oneOf('NONE'),
    KlvMetadata: oneOf('NONE'),
    NielsenId3: oneOf('NONE'),
    Scte35Source: oneOf('NONE'),
    DvbNitSettings: emptyOnly,
    DvbSdtSettings: emptyOnly,
    DvbTdtSettings: emptyOnly,
    // These say how the markers are written, and which numbers streams have that are not.
    SegmentationStyle: withoutEffect,
    SegmentationTime: withoutEffect,
    FragmentTime: withoutEffect,
    EbpAudioInterval: withoutEffect,
    EbpPlacement: withoutEffect,
    MinEbpInterval: withoutEffect,
    ForceTsVideoEbpOrder: withoutEffect,
    DataPTSControl: withoutEffect,
    DvbSubPids: withoutEffect,
    DvbTeletextPid: withoutEffect,
    PrivateMetadataPid: withoutEffect,
    Scte35Pid: withoutEffect,
    TimedMetadataPid: withoutEffect,
  }),
);

const DEFAULT_TABLE_INTERVAL = 100;

function checkM2ts(settings: M2tsSettings, pointer: string, problems: Problem[]): void {
  const { RateMode: mode, Bitrate: bitrate = 0, NullPacketBitrate: nulls = 0, PcrPid: clock } = settings;
  if (mode !== 'CBR' && bitrate > 0) {
    problems.push({ pointer: `${pointer}/bitrate`, text: 'Is supported with rateMode CBR' });
  }
  if (mode !== 'CBR' && nulls > 0) {
    problems.push({ pointer: `${pointer}/nullPacketBitrate`, text: 'Is supported with rateMode CBR' });
  }
  if (clock !== undefined && clock !== (settings.VideoPid ?? 481)) {
    problems.push({ pointer: `${pointer}/pcrPid`, text: 'Should be the videoPid: others are not supported' });
  }
  // The muxer writes the two tables together.
  const { PatInterval: pat = DEFAULT_TABLE_INTERVAL, PmtInterval: pmt = DEFAULT_TABLE_INTERVAL } = settings;
  if ((pat || DEFAULT_TABLE_INTERVAL) !== (pmt || DEFAULT_TABLE_INTERVAL)) {
    problems.push({ pointer: `${pointer}/pmtInterval`, text: 'Should be the patInterval: others are not supported' });
  }
  const pids = [settings.PmtPid ?? 480, settings.VideoPid ?? 481, ...(settings.AudioPids ?? [])];
  if (new Set(pids).size < pids.length) {
    problems.push({ pointer, text: 'pmtPid, videoPid and audioPids should differ from each other' });
  }
}
