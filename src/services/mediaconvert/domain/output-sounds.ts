import type { AudioSettings } from '#media/audio-settings.ts';
import type { Output } from '@aws-sdk/client-mediaconvert';
import { planAudio } from './audio-description-plan.ts';

/** The sounds of an output, with what its container says of them. */
export function planSounds(output: Output): AudioSettings[] {
  const container = output.ContainerSettings ?? {};
  const lengths = [
    container.Mp4Settings,
    container.MovSettings,
    container.M2tsSettings,
    container.M3u8Settings,
    container.MpdSettings,
    container.CmfcSettings,
  ].map((settings) => settings?.AudioDuration);
  const isMatched = lengths.includes('MATCH_VIDEO_DURATION');
  return (output.AudioDescriptions ?? []).map((audio) => ({
    ...planAudio(audio),
    ...(isMatched && { isLengthOfVideo: true }),
  }));
}
