import { parseLocation } from '#media/media-location.ts';
import type { AudioSelector, InputClips, InputDecryption, TranscodeInput } from '#media/transcode-input.ts';
import type {
  AudioSelector as AudioSelectorSettings,
  Input,
  InputDecryptionSettings,
} from '@aws-sdk/client-mediaconvert';
import { DEFAULT_SELECTOR } from './cross-setting-rules.ts';
import { inputTimecode, planInputPicture } from './picture-plan.ts';

export function planInput(input: Input, key: Uint8Array | undefined): TranscodeInput {
  const selectors = Object.entries(input.AudioSelectors ?? {});
  const preferred = selectors.find(([, selector]) => selector.DefaultSelection === 'DEFAULT')?.[1];
  const audioSelectors = Object.fromEntries(selectors.map(([name, selector]) => [name, planSelector(selector)]));
  return {
    source: parseLocation(input.FileInput ?? ''),
    audioSelectors: {
      ...(preferred !== undefined && { [DEFAULT_SELECTOR]: planSelector(preferred) }),
      ...audioSelectors,
    },
    picture: planInputPicture(input),
    firstTimecode: inputTimecode(input),
    ...((input.InputClippings ?? []).length > 0 && { clips: planClips(input) }),
    ...(input.DecryptionSettings !== undefined && { decryption: planDecryption(input.DecryptionSettings, key) }),
  };
}

function planClips(input: Input): InputClips {
  const { InputClippings: clips = [] } = input;
  return {
    firstTimecode: inputTimecode(input),
    parts: clips.map(({ StartTimecode, EndTimecode }) => ({
      ...(StartTimecode !== undefined && { start: StartTimecode }),
      ...(EndTimecode !== undefined && { end: EndTimecode }),
    })),
  };
}

const MODES = { AES_CTR: 'ctr', AES_CBC: 'cbc', AES_GCM: 'gcm' } as const;

function planDecryption(settings: InputDecryptionSettings, key: Uint8Array | undefined): InputDecryption {
  const { DecryptionMode: mode, InitializationVector: iv } = settings;
  if (mode === undefined || iv === undefined || key === undefined) throw new Error('An encrypted input has no key.');
  return { mode: MODES[mode], key, iv: Buffer.from(iv, 'base64') };
}

function planSelector(selector: AudioSelectorSettings): AudioSelector {
  const language = (selector.CustomLanguageCode ?? selector.LanguageCode)?.toLowerCase();
  const [track] = selector.Tracks ?? [];
  const [pid] = selector.Pids ?? [];
  const kind = selector.SelectorType ?? impliedType(track, pid, language);
  if (kind === 'TRACK' && track !== undefined) return { kind: 'track', track };
  if (kind === 'PID' && pid !== undefined) return { kind: 'pid', pid };
  if (kind === 'LANGUAGE_CODE' && language !== undefined) return { kind: 'language', code: language };
  return { kind: 'default' };
}

/** A selector without a type is of the type of what it names. */
function impliedType(track: number | undefined, pid: number | undefined, language: string | undefined) {
  if (track !== undefined) return 'TRACK';
  if (pid !== undefined) return 'PID';
  return language === undefined ? undefined : 'LANGUAGE_CODE';
}
