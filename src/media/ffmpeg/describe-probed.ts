import type { Stream } from 'node-av/lib';
import type { ProbedMedia, ProbedTrack } from '../probe/probed-media.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { type ByteSource, framerateOf, type MediaInput } from './media-input.ts';

const HEAD_BYTES = 64;

/** Tells what an opened file holds. Cover pictures are no tracks. */
export function describeProbed(ffmpeg: FFmpeg, input: MediaInput, source: ByteSource): ProbedMedia {
  const { format, durationSeconds } = input.info;
  const streams = input.streams.filter((stream) => !stream.hasDisposition(ffmpeg.AV_DISPOSITION_ATTACHED_PIC));
  const brand = brandOf(format, source.read(0, HEAD_BYTES));
  const startTimecode = streams.map((stream) => stream.metadata?.get('timecode')).find((text) => text);
  return {
    demuxer: format,
    ...(brand !== undefined && { brand }),
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(startTimecode && { startTimecode }),
    tracks: streams.map((stream) => trackOf(ffmpeg, stream)),
  };
}

function brandOf(demuxer: string, head: Buffer): ProbedMedia['brand'] {
  if (demuxer.startsWith('matroska')) return head.includes('webm') ? 'webm' : 'matroska';
  if (!demuxer.startsWith('mov')) return undefined;
  const isMp4 = head.toString('latin1', 4, 8) === 'ftyp' && head.toString('latin1', 8, 12) !== 'qt  ';
  return isMp4 ? 'mp4' : 'quicktime';
}

function trackOf(ffmpeg: FFmpeg, stream: Stream): ProbedTrack {
  const parameters = stream.codecpar;
  const { num, den } = stream.timeBase;
  const language = stream.metadata?.get('language') ?? undefined;
  const facts = {
    codec: ffmpeg.avGetCodecName(parameters.codecId) ?? 'unknown',
    ...(stream.duration > 0n && { durationSeconds: (Number(stream.duration) * num) / den }),
    ...(parameters.bitRate > 0n && { bitrate: Number(parameters.bitRate) }),
    ...(language !== undefined && { language }),
  };
  if (parameters.codecType === ffmpeg.AVMEDIA_TYPE_VIDEO)
    return { kind: 'video', ...facts, ...pictureOf(ffmpeg, stream) };
  if (parameters.codecType !== ffmpeg.AVMEDIA_TYPE_AUDIO) return { kind: 'data', ...facts };
  const bits = parameters.bitsPerRawSample || parameters.bitsPerCodedSample;
  return {
    kind: 'audio',
    ...facts,
    channels: parameters.channels,
    sampleRate: parameters.sampleRate,
    ...(bits > 0 && { bitDepth: bits }),
  };
}

function pictureOf(ffmpeg: FFmpeg, stream: Stream): Partial<ProbedTrack> {
  const parameters = stream.codecpar;
  const format = ffmpeg.avGetPixFmtName(parameters.format as Parameters<typeof ffmpeg.avGetPixFmtName>[0]) ?? '';
  const bits = Number(/p(9|1[0-6])(?:le|be)$/.exec(format)?.[1] ?? (format.startsWith('p010') ? 10 : 8));
  const sampling = /4(?:20|22|44|11|10)/.exec(format)?.[0] ?? (/^nv12|^p010/.test(format) ? '420' : undefined);
  const profile = profileOf(ffmpeg, stream);
  return {
    width: parameters.width,
    height: parameters.height,
    framerate: framerateOf(stream),
    bitDepth: bits,
    ...(sampling !== undefined && { chroma: sampling.split('').join(':') }),
    ...profile,
    color: {
      primaries: parameters.colorPrimaries,
      transfer: parameters.colorTrc,
      matrix: parameters.colorSpace,
    },
  };
}

const AVC_PROFILES: Readonly<Record<number, string>> = {
  66: 'Baseline',
  77: 'Main',
  88: 'Extended',
  100: 'High',
  110: 'High 10',
  122: 'High 4:2:2',
  244: 'High 4:4:4 Predictive',
  // Baseline with the constraint that leaves out what no player has.
  578: 'Constrained Baseline',
};

const HEVC_PROFILES: Readonly<Record<number, string>> = { 1: 'Main', 2: 'Main 10', 3: 'Main Still Picture', 4: 'Rext' };

function profileOf(ffmpeg: FFmpeg, { codecpar: { codecId, profile, level } }: Stream): Partial<ProbedTrack> {
  const isAvc = codecId === ffmpeg.AV_CODEC_ID_H264;
  if (!isAvc && codecId !== ffmpeg.AV_CODEC_ID_HEVC) return {};
  const name = (isAvc ? AVC_PROFILES : HEVC_PROFILES)[profile];
  return {
    ...(name !== undefined && { profile: name }),
    ...(level > 0 && { level: (level / (isAvc ? 10 : 30)).toFixed(1) }),
  };
}
