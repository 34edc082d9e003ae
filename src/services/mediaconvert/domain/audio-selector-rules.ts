import type { AudioSelector, AudioSelectorGroup, Input } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkFileInput } from './cross-setting-rules.ts';
import { remix } from './remix-rules.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

export const audioSelector: SettingRule<AudioSelector> = allOf(
  checkAudioSelector,
  structure<AudioSelector>({
    DefaultSelection: carriedOut,
    SelectorType: oneOf('TRACK', 'PID', 'LANGUAGE_CODE', 'STREAM', 'ALL_PCM'),
    Tracks: checkList,
    Pids: checkList,
    Streams: checkList,
    LanguageCode: carriedOut,
    CustomLanguageCode: carriedOut,
    Offset: checkOffset,
    RemixSettings: remix,
    ExternalAudioFileInput: checkFileInput,
    // The program inside a Dolby E stream; other streams have one.
    ProgramSelection: oneOf(0, 1),
    // Sound follows its own timestamps, by resampling where it has to: what FRAME and AUTO are.
    AudioDurationCorrection: oneOf('DISABLED', 'AUTO', 'FRAME'),
    Smpte337Passthrough: oneOf('DISABLED'),
  }),
);

export const audioSelectorGroup: SettingRule<AudioSelectorGroup> = structure<AudioSelectorGroup>({
  AudioSelectorNames: carriedOut,
});

/** A group names selectors of its own input, and is not called as one of them. */
export function checkSelectorGroups(input: Input, pointer: string, problems: Problem[]): void {
  for (const [name, group] of Object.entries(input.AudioSelectorGroups ?? {})) {
    const at = `${pointer}/audioSelectorGroups/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (input.AudioSelectors?.[name] !== undefined) {
      problems.push({ pointer: at, text: 'Should not have the name of an audio selector' });
    }
    const names = group.AudioSelectorNames ?? [];
    if (names.length === 0) problems.push(missing(at, 'audioSelectorNames'));
    names.forEach((selector, index) => {
      if (input.AudioSelectors?.[selector] !== undefined) return;
      const text = `The input has no audio selector named "${selector}"`;
      problems.push({ pointer: `${at}/audioSelectorNames/${index}`, text });
    });
  }
}

/** As many channels as one sound may have. */
const MOST = 64;

function checkList(items: readonly number[], pointer: string, problems: Problem[]): void {
  if (items.length === 0) problems.push({ pointer, text: 'Should have at least 1 items' });
  if (items.length > MOST) problems.push({ pointer, text: `Should have at most ${MOST} items` });
}

/** A day: more is nothing but silence. */
const MOST_OFFSET_MS = 86_400_000;

function checkOffset(value: number, pointer: string, problems: Problem[]): void {
  if (Math.abs(value) <= MOST_OFFSET_MS) return;
  problems.push({ pointer, text: `Should be between -${MOST_OFFSET_MS} and ${MOST_OFFSET_MS}; more is not supported` });
}

/** A selector chooses by one thing, and names what it chooses by. */
function checkAudioSelector(selector: AudioSelector, pointer: string, problems: Problem[]): void {
  const named = [
    ['TRACK', 'tracks', selector.Tracks],
    ['PID', 'pids', selector.Pids],
    ['STREAM', 'streams', selector.Streams],
    ['LANGUAGE_CODE', 'languageCode', selector.CustomLanguageCode ?? selector.LanguageCode],
  ] as const;
  const given = named.filter(([, , value]) => value !== undefined);
  for (const [type, member, value] of named) {
    const isChosen = selector.SelectorType === type;
    if (isChosen && value === undefined) problems.push(missing(pointer, member));
    const isIgnored = !isChosen && value !== undefined && (selector.SelectorType !== undefined || given.length > 1);
    if (isIgnored) problems.push({ pointer: `${pointer}/${member}`, text: `Needs selectorType ${type}` });
  }
}
