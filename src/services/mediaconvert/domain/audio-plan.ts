import type { AudioCodecSettings, SampledSettings } from '#media/audio-codec-settings.ts';
import type { AacSettings, AudioCodecSettings as Settings } from '@aws-sdk/client-mediaconvert';
import { planDolby, planDolbyPlus } from './dolby-plan.ts';

const USUAL_RATE = 48_000;

/** Turns a sound's codec settings that passed the rules into what a worker does. */
export function audioCodecSettings(settings: Settings | undefined): AudioCodecSettings {
  const { Mp3Settings: mp3, WavSettings: wav, FlacSettings: flac, AiffSettings: aiff } = settings ?? {};
  if (mp3 !== undefined) {
    const isVbr = mp3.RateControlMode === 'VBR';
    const rate = isVbr
      ? { mode: 'vbr' as const, quality: mp3.VbrQuality ?? 0 }
      : { mode: 'cbr' as const, bitrate: mp3.Bitrate ?? 0 };
    return { kind: 'mp3', rate, ...samplesOf(mp3) };
  }
  if (wav !== undefined) {
    const forms = { RF64: 'rf64', EXTENSIBLE: 'extensible' } as const;
    const form = wav.Format === 'RF64' || wav.Format === 'EXTENSIBLE' ? forms[wav.Format] : undefined;
    return { kind: 'wav', bitDepth: depthOf(wav.BitDepth), ...(form !== undefined && { form }), ...samplesOf(wav) };
  }
  if (aiff !== undefined) return { kind: 'aiff', bitDepth: depthOf(aiff.BitDepth), ...samplesOf(aiff) };
  if (flac !== undefined) return { kind: 'flac', bitDepth: depthOf(flac.BitDepth), ...samplesOf(flac) };
  return compressed(settings ?? {});
}

function compressed(settings: Settings): AudioCodecSettings {
  if (settings.Codec === 'PASSTHROUGH') return { kind: 'passthrough', sampleRate: 0, channels: 0 };
  const {
    Ac3Settings: ac3,
    Eac3Settings: eac3,
    Mp2Settings: mp2,
    OpusSettings: opus,
    VorbisSettings: vorbis,
  } = settings;
  if (ac3 !== undefined) return planDolby(ac3);
  if (eac3 !== undefined) return planDolbyPlus(eac3);
  if (mp2 !== undefined) return { kind: 'mp2', bitrate: mp2.Bitrate ?? 0, ...samplesOf(mp2) };
  if (opus !== undefined) return { kind: 'opus', bitrate: opus.Bitrate ?? 96_000, ...samplesOf(opus) };
  if (vorbis !== undefined) return { kind: 'vorbis', quality: vorbis.VbrQuality ?? 4, ...samplesOf(vorbis) };
  return aacSettings(settings.AacSettings ?? {});
}

const AAC_CHANNELS: Readonly<Record<string, number>> = {
  CODING_MODE_AUTO: 0,
  CODING_MODE_1_0: 1,
  CODING_MODE_2_0: 2,
  CODING_MODE_5_1: 6,
};
const AAC_QUALITIES = { LOW: 'low', MEDIUM_LOW: 'medium-low', MEDIUM_HIGH: 'medium-high', HIGH: 'high' } as const;

function aacSettings(aac: AacSettings): AudioCodecSettings {
  const isVbr = aac.RateControlMode === 'VBR';
  return {
    kind: 'aac',
    bitrate: isVbr ? 0 : (aac.Bitrate ?? 0),
    ...(isVbr && { quality: AAC_QUALITIES[aac.VbrQuality ?? 'MEDIUM_HIGH'] }),
    sampleRate: aac.SampleRate ?? 0,
    channels: AAC_CHANNELS[aac.CodingMode ?? ''] ?? 2,
    ...(aac.CodecProfile === 'HEV1' && { isReplicated: true }),
    ...(aac.CodecProfile === 'HEV2' && { isReplicated: true, isParametric: true }),
    ...(aac.Specification === 'MPEG2' && { isMpeg2: true }),
    ...(aac.RawFormat === 'LATM_LOAS' && { isLoas: true }),
  };
}

function samplesOf(settings: {
  readonly SampleRate?: number | undefined;
  readonly Channels?: number | undefined;
}): SampledSettings {
  return { sampleRate: settings.SampleRate ?? USUAL_RATE, channels: settings.Channels ?? 2 };
}

function depthOf(bits: number | undefined): 16 | 24 {
  return bits === 24 ? 24 : 16;
}
