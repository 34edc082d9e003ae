import type { AudioSettings } from '#media/audio-settings.ts';
import type { AudioDescription } from '@aws-sdk/client-mediaconvert';
import { audioCodecSettings } from './audio-plan.ts';
import { DEFAULT_SELECTOR } from './cross-setting-rules.ts';

export function planAudio(audio: AudioDescription): AudioSettings {
  const language = (audio.CustomLanguageCode ?? audio.LanguageCode)?.toLowerCase();
  return {
    selector: audio.AudioSourceName ?? DEFAULT_SELECTOR,
    ...(language !== undefined && { language }),
    isLanguageFollowed: audio.LanguageCodeControl !== 'USE_CONFIGURED',
    ...(audio.StreamName !== undefined && { streamName: audio.StreamName }),
    codec: audioCodecSettings(audio.CodecSettings),
  };
}
