import { parseLocation } from '#media/media-location.ts';
import type { AudioPick, AudioSelector, TranscodeInput } from '#media/transcode-input.ts';
import type { AudioSelector as Settings, Input } from '@aws-sdk/client-mediaconvert';
import { planRemix } from './remix-plan.ts';

/** The sound that an input has to give, by the names by which outputs refer to it. */
export function planSelectors(input: Input): Pick<TranscodeInput, 'audioSelectors' | 'fallbackAudio'> {
  const selectors = Object.entries(input.AudioSelectors ?? {});
  const isMade = input.VideoGenerator !== undefined;
  const preferred = selectors.find(([, selector]) => selector.DefaultSelection === 'DEFAULT')?.[1];
  return {
    audioSelectors: Object.fromEntries(selectors.map(([name, selector]) => [name, planSelector(selector, isMade)])),
    fallbackAudio: preferred === undefined ? { pick: { kind: 'none' } } : planSelector(preferred, isMade),
  };
}

/** @param isMade the input is silence, whatever is chosen of it */
function planSelector(selector: Settings, isMade: boolean): AudioSelector {
  const { Offset: offset = 0, ExternalAudioFileInput: external } = selector;
  const remix = planRemix(selector.RemixSettings);
  return {
    pick: isMade && external === undefined ? { kind: 'none' } : planPick(selector),
    ...(offset !== 0 && { offsetSeconds: offset / 1000 }),
    ...(remix !== undefined && { remix }),
    ...(external !== undefined && { external: parseLocation(external) }),
  };
}

function planPick(selector: Settings): AudioPick {
  const language = (selector.CustomLanguageCode ?? selector.LanguageCode)?.toLowerCase();
  const { Tracks: tracks, Pids: pids, Streams: streams, SelectorType: type } = selector;
  if (type === 'ALL_PCM') return { kind: 'pcm' };
  const isFree = type === undefined;
  // A selector without a type is of the type of what it names.
  if ((isFree || type === 'TRACK') && tracks !== undefined) return { kind: 'tracks', tracks };
  if ((isFree || type === 'PID') && pids !== undefined) return { kind: 'pids', pids };
  if ((isFree || type === 'STREAM') && streams !== undefined) return { kind: 'streams', streams };
  if ((isFree || type === 'LANGUAGE_CODE') && language !== undefined) return { kind: 'language', code: language };
  return { kind: 'default' };
}
