import {
  type Codec,
  type ColorPrimaries,
  Format,
  type MatrixCoefficients,
  type Container,
  type Track,
  type TrackMapping,
  type TransferCharacteristics,
} from '@aws-sdk/client-mediaconvert';
import type { ProbedMedia, ProbedTrack } from '#media/probe/probed-media.ts';

/** What a probe found, as the API shows it. Tracks are numbered from 1. */
export function containerView(media: ProbedMedia): Container {
  const format = formatOf(media);
  return {
    ...(format !== undefined && { Format: format }),
    ...(media.durationSeconds !== undefined && { Duration: media.durationSeconds }),
    ...(media.startTimecode !== undefined && { StartTimecode: media.startTimecode }),
    Tracks: media.tracks.map((track, index) => trackView(track, index + 1)),
  };
}

/** As MediaConvert would take the file's tracks: one programme. */
export function trackMappings(media: ProbedMedia): TrackMapping[] {
  const indexesOf = (kind: ProbedTrack['kind']) =>
    media.tracks.flatMap((track, index) => (track.kind === kind ? [index + 1] : []));
  return [
    {
      VideoTrackIndexes: indexesOf('video'),
      AudioTrackIndexes: indexesOf('audio'),
      DataTrackIndexes: indexesOf('data'),
    },
  ];
}

const FORMATS: Readonly<Record<string, Format>> = { mxf: 'mxf', wav: 'wave', avi: 'avi', mpegts: 'mpegts' };

function formatOf({ demuxer, brand }: ProbedMedia): Format | undefined {
  return brand === undefined ? FORMATS[demuxer] : Format[brand];
}

const CODECS: Readonly<Record<string, Codec>> = {
  aac: 'AAC',
  ac3: 'AC3',
  eac3: 'EAC3',
  flac: 'FLAC',
  mp3: 'MP3',
  opus: 'OPUS',
  vorbis: 'VORBIS',
  av1: 'AV1',
  h264: 'AVC',
  hevc: 'HEVC',
  jpeg2000: 'JPEG2000',
  mjpeg: 'MJPEG',
  mpeg1video: 'MPEG1',
  mpeg4: 'MP4V',
  mpeg2video: 'MPEG2',
  prores: 'PRORES',
  qtrle: 'QTRLE',
  theora: 'THEORA',
  rawvideo: 'UNCOMPRESSED',
  v210: 'UNCOMPRESSED',
  vp8: 'VP8',
  vp9: 'VP9',
  eia_608: 'C608',
  webvtt: 'WEBVTT',
};

function codecOf(name: string): Codec {
  return name.startsWith('pcm_') ? 'PCM' : (CODECS[name] ?? 'UNKNOWN');
}

function trackView(track: ProbedTrack, index: number): Track {
  const { kind, durationSeconds, language } = track;
  return {
    Index: index,
    TrackType: kind,
    Codec: codecOf(track.codec),
    ...(durationSeconds !== undefined && { Duration: durationSeconds }),
    ...(kind === 'video' && { VideoProperties: videoView(track) }),
    ...(kind === 'audio' && { AudioProperties: audioView(track) }),
    ...(kind === 'data' && { DataProperties: { ...(language !== undefined && { LanguageCode: language }) } }),
  };
}

function audioView({ bitDepth, bitrate, channels, language, sampleRate }: ProbedTrack): Track['AudioProperties'] {
  return {
    ...(bitDepth !== undefined && { BitDepth: bitDepth }),
    ...(bitrate !== undefined && { BitRate: bitrate }),
    ...(channels !== undefined && { Channels: channels }),
    ...(language !== undefined && { LanguageCode: language }),
    ...(sampleRate !== undefined && { SampleRate: sampleRate }),
  };
}

function videoView(track: ProbedTrack): Track['VideoProperties'] {
  const { bitDepth, bitrate, chroma, color, framerate, height, level, profile, width } = track;
  const rate = framerate && { Numerator: framerate.num, Denominator: framerate.den };
  const common = {
    ...(bitDepth !== undefined && { BitDepth: bitDepth }),
    ...(width !== undefined && { Width: width }),
    ...(height !== undefined && { Height: height }),
    ...(color !== undefined && {
      ColorPrimaries: PRIMARIES[color.primaries] ?? 'UNSPECIFIED',
      TransferCharacteristics: TRANSFERS[color.transfer] ?? 'UNSPECIFIED',
      MatrixCoefficients: MATRICES[color.matrix] ?? 'UNSPECIFIED',
    }),
  };
  return {
    ...common,
    ...(bitrate !== undefined && { BitRate: bitrate }),
    ...(rate !== undefined && { FrameRate: rate }),
    CodecMetadata: {
      ...common,
      ...(rate !== undefined && { CodedFrameRate: rate }),
      ...(chroma !== undefined && { ChromaSubsampling: chroma }),
      ...(profile !== undefined && { Profile: profile }),
      ...(level !== undefined && { Level: level }),
    },
  };
}

const PRIMARIES: Readonly<Record<number, ColorPrimaries>> = {
  1: 'ITU_709',
  4: 'ITU_470M',
  5: 'ITU_470BG',
  6: 'SMPTE_170M',
  7: 'SMPTE_240M',
  8: 'GENERIC_FILM',
  9: 'ITU_2020',
  10: 'SMPTE_428_1',
  11: 'SMPTE_431_2',
  12: 'SMPTE_EG_432_1',
  22: 'EBU_3213_E',
};

const TRANSFERS: Readonly<Record<number, TransferCharacteristics>> = {
  1: 'ITU_709',
  4: 'ITU_470M',
  5: 'ITU_470BG',
  6: 'SMPTE_170M',
  7: 'SMPTE_240M',
  8: 'LINEAR',
  9: 'LOG10_2',
  10: 'LOC10_2_5',
  11: 'IEC_61966_2_4',
  12: 'ITU_1361',
  13: 'IEC_61966_2_1',
  14: 'ITU_2020_10bit',
  15: 'ITU_2020_12bit',
  16: 'SMPTE_2084',
  17: 'SMPTE_428_1',
  18: 'ARIB_B67',
};

const MATRICES: Readonly<Record<number, MatrixCoefficients>> = {
  0: 'RGB',
  1: 'ITU_709',
  4: 'FCC',
  5: 'ITU_470BG',
  6: 'SMPTE_170M',
  7: 'SMPTE_240M',
  8: 'YCgCo',
  9: 'ITU_2020_NCL',
  10: 'ITU_2020_CL',
  11: 'SMPTE_2085',
  12: 'CD_NCL',
  13: 'CD_CL',
  14: 'ITU_2100ICtCp',
};
