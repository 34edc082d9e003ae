import type { M2tsSettings, Output } from '@aws-sdk/client-mediaconvert';
import type { FileOutput, MovieContainer, TransportFileSettings } from '#media/output-group.ts';

const CONTAINERS: Readonly<Record<string, FileOutput['container']>> = {
  M2TS: 'm2ts',
  MXF: 'mxf',
  WEBM: 'webm',
  F4V: 'f4v',
  OGG: 'ogg',
  GIF: 'gif',
  Y4M: 'y4m',
};

/** Streams without a container, and their usual extensions. */
const STREAMS: Readonly<Record<string, readonly [MovieContainer, string]>> = {
  H_264: ['h264', 'h264'],
  H_265: ['h265', 'h265'],
  MPEG2: ['mpeg2', 'm2v'],
};

/** The container of a picture's file and its usual extension; `undefined` for MP4, MOV, captures and sounds. */
export function planMovieFile(output: Output): readonly [FileOutput['container'], string] | undefined {
  const { Container: name = '' } = output.ContainerSettings ?? {};
  if (name === 'RAW') return STREAMS[output.VideoDescription?.CodecSettings?.Codec ?? ''];
  const container = CONTAINERS[name];
  if (container === undefined) return undefined;
  return [container, name.toLowerCase()];
}

/** MediaConvert's own numbers where the settings name none. */
export function planTransportFile(m2ts: M2tsSettings): TransportFileSettings {
  const { Bitrate: bitrate = 0, PatInterval: interval = 0, PtsOffset: offset = 2 } = m2ts;
  return {
    pmtPid: m2ts.PmtPid ?? 480,
    videoPid: m2ts.VideoPid ?? 481,
    audioPids: m2ts.AudioPids ?? [482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492],
    programNumber: m2ts.ProgramNumber ?? 1,
    transportStreamId: m2ts.TransportStreamId ?? 1,
    audioFramesPerPes: m2ts.AudioFramesPerPes ?? 4,
    clockOffsetSeconds: m2ts.PtsOffsetMode === 'MILLISECONDS' ? offset / 1000 : offset,
    ...(m2ts.RateMode === 'CBR' && { constantRate: bitrate > 0 ? bitrate : ('auto' as const) }),
    nullRate: m2ts.NullPacketBitrate ?? 0,
    clockPeriodMs: planClock(m2ts),
    tablePeriodMs: interval > 0 ? interval : 100,
    isLowDelay: m2ts.BufferModel === 'NONE',
    isDvb: m2ts.AudioBufferModel === 'DVB',
  };
}

/**
 * Milliseconds between two clock references. Every picture is a packet, and begins with one where they are a
 * millisecond apart; a stream that is filled has them beside its pictures, and more often than those.
 */
function planClock({ PcrControl: control, MaxPcrInterval: interval = 0, RateMode: mode }: M2tsSettings): number {
  if (control === 'CONFIGURED_PCR_PERIOD') return interval > 0 ? interval : 40;
  return mode === 'CBR' ? 10 : 1;
}
