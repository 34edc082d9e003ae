import type { AudioSettings, LoudnessSettings } from '#media/audio-settings.ts';
import type { AudioDescription, AudioNormalizationSettings } from '@aws-sdk/client-mediaconvert';
import { audioCodecSettings } from './audio-plan.ts';
import { DEFAULT_SELECTOR } from './cross-setting-rules.ts';
import { planRemix } from './remix-plan.ts';

export function planAudio(audio: AudioDescription): AudioSettings {
  const language = (audio.CustomLanguageCode ?? audio.LanguageCode)?.toLowerCase();
  const remix = planRemix(audio.RemixSettings);
  const loudness = planLoudness(audio.AudioNormalizationSettings);
  const type = isBroadcasterMixed(audio) ? VISUALLY_IMPAIRED : (audio.AudioType ?? 0);
  return {
    selector: audio.AudioSourceName ?? DEFAULT_SELECTOR,
    ...(language !== undefined && { language }),
    isLanguageFollowed: audio.LanguageCodeControl !== 'USE_CONFIGURED',
    ...(audio.StreamName !== undefined && { streamName: audio.StreamName }),
    ...(type > 0 && { audioType: type }),
    ...(audio.AudioTypeControl !== 'USE_CONFIGURED' && !isBroadcasterMixed(audio) && { isTypeFollowed: true }),
    ...(remix !== undefined && { remix }),
    ...(loudness !== undefined && { loudness }),
    codec: audioCodecSettings(audio.CodecSettings),
  };
}

/** `audio_type` of ISO 13818-1. */
const VISUALLY_IMPAIRED = 3;

function isBroadcasterMixed({ CodecSettings: settings }: AudioDescription): boolean {
  const mixes = [settings?.AacSettings?.AudioDescriptionBroadcasterMix, settings?.Mp2Settings?.AudioDescriptionMix];
  return mixes.includes('BROADCASTER_MIXED_AD');
}

function planLoudness(settings: AudioNormalizationSettings | undefined): LoudnessSettings | undefined {
  if (settings === undefined) return undefined;
  const isFirst = settings.Algorithm === 'ITU_BS_1770_1';
  return {
    isGated: !isFirst,
    isCorrected: settings.AlgorithmControl !== 'MEASURE_ONLY',
    target: settings.TargetLkfs ?? (isFirst ? -24 : -23),
    correctionGate: settings.CorrectionGateLevel ?? -70,
    truePeakLimit: settings.TruePeakLimiterThreshold ?? 0,
    isTruePeakMeasured: settings.PeakCalculation === 'TRUE_PEAK',
    isLogged: settings.LoudnessLogging === 'LOG',
  };
}
