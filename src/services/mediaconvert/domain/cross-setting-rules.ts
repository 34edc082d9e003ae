import type { JobSettings, Output } from '@aws-sdk/client-mediaconvert';
import { DESTINATION_IDENTIFIERS, MODIFIER_IDENTIFIERS, unknownIdentifiers } from '#media/packaging/output-name.ts';
import type { Problem } from '../errors.ts';
import { groupSizes } from './audio-group-plan.ts';
import { missing } from './setting-rule.ts';

/** The rules of job settings that look at more than one member, as MediaConvert's guide states them. */

export const DEFAULT_SELECTOR = 'Audio Selector 1';

export function checkSettings(settings: JobSettings, pointer: string, problems: Problem[]): void {
  if ((settings.Inputs ?? []).length === 0) problems.push(missing(pointer, 'inputs'));
  if ((settings.OutputGroups ?? []).length === 0) {
    problems.push({ pointer: `${pointer}/outputGroups`, text: 'Should have at least 1 items', isMissing: true });
  }
  checkSelectorNames(settings, pointer, problems);
}

/** Containers of one track. */
const ONE_SOUND = ['MPD', 'CMFC', 'RAW'];

/** An output that names a selector which no input has would be silent without anybody having asked for it. */
function checkSelectorNames(settings: JobSettings, pointer: string, problems: Problem[]): void {
  const sizes = groupSizes(settings);
  const known = new Set([DEFAULT_SELECTOR]);
  for (const input of settings.Inputs ?? [])
    for (const name of Object.keys({ ...input.AudioSelectors, ...input.AudioSelectorGroups })) known.add(name);
  settings.OutputGroups?.forEach((group, groupIndex) =>
    group.Outputs?.forEach((output, outputIndex) =>
      output.AudioDescriptions?.forEach((audio, index) => {
        const name = audio.AudioSourceName;
        if (name === undefined) return;
        const size = sizes.get(name) ?? 1;
        const holdsOne = ONE_SOUND.includes(output.ContainerSettings?.Container ?? '');
        if (size > 1 && holdsOne) {
          const place = `${pointer}/outputGroups/${groupIndex}/outputs/${outputIndex}/audioDescriptions/${index}`;
          const text = `The group has ${size} selectors, and an output of this container one sound`;
          problems.push({ pointer: `${place}/audioSourceName`, text });
        }
        if (known.has(name)) return;
        const at = `${pointer}/outputGroups/${groupIndex}/outputs/${outputIndex}/audioDescriptions/${index}`;
        const text = `No input has an audio selector named "${name}"`;
        problems.push({ pointer: `${at}/audioSourceName`, text, isMissing: true });
      }),
    ),
  );
}

const S3_OBJECT = /^s3:\/\/[^/]+\/.*[^/]$/;
const S3_PREFIX = /^s3:\/\/[^/]+(\/.*)?$/;

/** Of an input, or of a file beside it. */
export function checkFileInput(value: string, pointer: string, problems: Problem[]): void {
  const text = /^https?:/i.test(value) ? webAddressProblem(value) : S3_OBJECT.test(value) ? undefined : NO_OBJECT;
  if (text !== undefined) problems.push({ pointer, text });
}

const NO_OBJECT = 'Should name a file as s3://bucket/key, http://host/path or https://host/path';

function webAddressProblem(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.pathname.endsWith('/')) return NO_OBJECT;
  // What is written here is told to whoever may see the job.
  if (url.username !== '' || url.password !== '') return "Should not hold a user's name or password";
  return undefined;
}

export function checkDestination(value: string, pointer: string, problems: Problem[]): void {
  if (!S3_PREFIX.test(value)) problems.push({ pointer, text: 'Should match pattern "^s3:\\/\\/"' });
  checkIdentifiers(value, DESTINATION_IDENTIFIERS, pointer, problems);
  checkTemplate(value, /\$(?:Number|Time|RepresentationID|Bandwidth)(?:%\w+)?\$/, pointer, problems);
}

/** Of an output; what an MPD's templates may hold is looked at with its group, but for what none may. */
export function checkModifier(value: string, pointer: string, problems: Problem[]): void {
  checkIdentifiers(value, MODIFIER_IDENTIFIERS, pointer, problems);
  checkTemplate(value, /\$Bandwidth(?:%\w+)?\$/, pointer, problems);
}

/** Of the segments of HLS. */
export function checkSegmentModifier(value: string, pointer: string, problems: Problem[]): void {
  checkIdentifiers(value, MODIFIER_IDENTIFIERS, pointer, problems);
  checkTemplate(value, /\$(?:Number|Time|RepresentationID|Bandwidth)(?:%\w+)?\$/, pointer, problems);
}

function checkTemplate(value: string, refused: RegExp, pointer: string, problems: Problem[]): void {
  const [identifier] = refused.exec(value) ?? [];
  if (identifier === undefined) return;
  problems.push({ pointer, text: `The format identifier ${identifier} is not supported here` });
}

function checkIdentifiers(text: string, known: ReadonlySet<string>, pointer: string, problems: Problem[]): void {
  for (const identifier of unknownIdentifiers(text, known)) {
    problems.push({ pointer, text: `The format identifier ${identifier} is not supported here` });
  }
}

export function checkOutput(output: Output, pointer: string, problems: Problem[]): void {
  const container = output.ContainerSettings;
  if (container === undefined) problems.push(missing(pointer, 'containerSettings'));
  else if (container.Container === undefined) problems.push(missing(`${pointer}/containerSettings`, 'container'));
  const { Mp4Settings: mp4 } = container ?? {};
  if (mp4?.CttsVersion === 1 && mp4.CslgAtom !== 'INCLUDE') {
    const text = 'A value of 1 needs cslgAtom INCLUDE';
    problems.push({ pointer: `${pointer}/containerSettings/mp4Settings/cttsVersion`, text });
  }
  const audios = output.AudioDescriptions ?? [];
  const captions = output.CaptionDescriptions ?? [];
  if (output.VideoDescription === undefined && audios.length === 0 && captions.length === 0) {
    problems.push({ pointer, text: 'Should have a videoDescription or audioDescriptions', isMissing: true });
  }
}
