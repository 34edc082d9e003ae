import type { AacSettings, AudioCodecSettings as Settings } from '@aws-sdk/client-mediaconvert';
import type { AudioCodecSettings } from '#media/audio-settings.ts';

const USUAL_RATE = 48_000;

/** Turns a sound's codec settings that passed the rules into what a worker does. */
export function audioCodecSettings(settings: Settings | undefined): AudioCodecSettings {
  const { Mp3Settings: mp3, WavSettings: wav, FlacSettings: flac } = settings ?? {};
  if (mp3 !== undefined) {
    const isVbr = mp3.RateControlMode === 'VBR';
    const rate = isVbr
      ? { mode: 'vbr' as const, quality: mp3.VbrQuality ?? 0 }
      : { mode: 'cbr' as const, bitrate: mp3.Bitrate ?? 0 };
    return { kind: 'mp3', rate, ...samplesOf(mp3) };
  }
  if (wav !== undefined) {
    return { kind: 'wav', bitDepth: depthOf(wav.BitDepth), isRf64: wav.Format === 'RF64', ...samplesOf(wav) };
  }
  if (flac !== undefined) return { kind: 'flac', bitDepth: depthOf(flac.BitDepth), ...samplesOf(flac) };
  return aacSettings(settings?.AacSettings ?? {});
}

function aacSettings(aac: AacSettings): AudioCodecSettings {
  const channels = { CODING_MODE_1_0: 1, CODING_MODE_5_1: 6 } as const;
  const { CodingMode: mode } = aac;
  return {
    kind: 'aac',
    bitrate: aac.Bitrate ?? 0,
    sampleRate: aac.SampleRate ?? 0,
    channels: mode === 'CODING_MODE_1_0' || mode === 'CODING_MODE_5_1' ? channels[mode] : 2,
  };
}

function samplesOf(settings: { readonly SampleRate?: number | undefined; readonly Channels?: number | undefined }) {
  const channels = settings.Channels ?? 2;
  const counts = [1, 2, 6, 8] as const;
  return { sampleRate: settings.SampleRate ?? USUAL_RATE, channels: counts.find((count) => count === channels) ?? 2 };
}

function depthOf(bits: number | undefined): 16 | 24 {
  return bits === 24 ? 24 : 16;
}
