import type {
  CaptionDescription,
  HlsGroupSettings,
  JobSettings,
  Output,
  OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { missing } from './setting-rule.ts';

/** The rules of captions that look at an output, its group or the job as a whole. */

/** The kinds of captions that are an output of their own, by group. Source: "Captions support tables by output". */
const SIDECARS: Readonly<Record<string, readonly string[]>> = {
  FILE_GROUP_SETTINGS: ['SRT', 'WEBVTT', 'TTML', 'IMSC', 'SCC', 'SMI'],
  HLS_GROUP_SETTINGS: ['WEBVTT'],
  DASH_ISO_GROUP_SETTINGS: ['TTML', 'IMSC', 'WEBVTT'],
  CMAF_GROUP_SETTINGS: ['IMSC', 'WEBVTT'],
};

const EMBEDDING_CODECS: readonly (string | undefined)[] = ['H_264', 'H_265', 'MPEG2'];

function destinationType(caption: CaptionDescription): string {
  return caption.DestinationSettings?.DestinationType ?? 'EMBEDDED';
}

/** True for an output of text, without picture and sound. */
export function isCaptionOutput(output: Output): boolean {
  const hasMedia = output.VideoDescription !== undefined || (output.AudioDescriptions ?? []).length > 0;
  return !hasMedia && (output.CaptionDescriptions ?? []).length > 0;
}

export function checkGroupCaptions(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const type = group.OutputGroupSettings?.Type ?? '';
  group.Outputs?.forEach((output, index) => {
    const at = `${pointer}/outputs/${index}`;
    checkOutputCaptions(output, SIDECARS[type] ?? [], type, at, problems);
    checkMpdCaptions(output, at, problems);
  });
  const hls = group.OutputGroupSettings?.HlsGroupSettings;
  if (hls !== undefined) checkLanguages(hls, `${pointer}/outputGroupSettings/hlsGroupSettings`, problems);
}

function checkOutputCaptions(
  output: Output,
  sidecars: readonly string[],
  type: string,
  pointer: string,
  problems: Problem[],
): void {
  const captions = output.CaptionDescriptions ?? [];
  const hasPicture = output.VideoDescription !== undefined;
  const codec = output.VideoDescription?.CodecSettings?.Codec;
  captions.forEach((caption, index) => {
    const kind = destinationType(caption);
    const at = `${pointer}/captionDescriptions/${index}`;
    const refuse = (text: string): void => {
      problems.push({ pointer: `${at}/destinationSettings/destinationType`, text });
    };
    const isInPicture = kind === 'BURN_IN' || kind === 'EMBEDDED';
    if (isInPicture) {
      if (!hasPicture) refuse(`${kind} captions need a videoDescription in their output`);
      else if (kind === 'EMBEDDED' && !EMBEDDING_CODECS.includes(codec)) {
        refuse('EMBEDDED captions are supported with H_264, H_265 and MPEG2');
      } else if (codec === 'PASSTHROUGH') refuse('A picture that is passed through cannot be drawn on');
      return;
    }
    if (!sidecars.includes(kind)) {
      refuse(`Should be equal to one of the allowed values in ${JSON.stringify(['BURN_IN', 'EMBEDDED', ...sidecars])}`);
    }
    if (!isCaptionOutput(output)) refuse(`${kind} captions should be in an output of their own`);
    else if (captions.length > 1) refuse('Each track of captions should be in an output of its own');
    if (type === 'FILE_GROUP_SETTINGS' && output.ContainerSettings?.Container !== 'RAW') {
      problems.push({ pointer: `${pointer}/containerSettings/container`, text: `${kind} captions need container RAW` });
    }
  });
  checkChannels(captions, pointer, problems);
}

/** Two channels of one field would be in each other's way. */
function checkChannels(captions: readonly CaptionDescription[], pointer: string, problems: Problem[]): void {
  const fields = new Set<number>();
  let embedded = 0;
  captions.forEach((caption, index) => {
    if (destinationType(caption) !== 'EMBEDDED') return;
    const given = caption.DestinationSettings?.EmbeddedDestinationSettings?.Destination608ChannelNumber;
    const field = Math.ceil((given ?? 1 + 2 * embedded) / 2);
    embedded += 1;
    const at = `${pointer}/captionDescriptions/${index}/destinationSettings`;
    if (fields.has(field) || field > 2) {
      const text = 'EMBEDDED captions of an output should be in different fields, such as channels 1 and 3';
      problems.push({ pointer: `${at}/embeddedDestinationSettings/destination608ChannelNumber`, text });
    }
    fields.add(field);
  });
}

function checkMpdCaptions(output: Output, pointer: string, problems: Problem[]): void {
  const mpd = output.ContainerSettings?.MpdSettings;
  if (mpd?.CaptionContainerType === 'RAW' && isCaptionOutput(output)) {
    const isTemplate = /\$(?:Number|Time)(?:%\w+)?\$/.test(output.NameModifier ?? '');
    if (isTemplate) problems.push({ pointer: `${pointer}/nameModifier`, text: 'RAW captions are not in segments' });
  }
}

function checkLanguages(hls: HlsGroupSettings, pointer: string, problems: Problem[]): void {
  const mappings = hls.CaptionLanguageMappings ?? [];
  const isInserted = hls.CaptionLanguageSetting === 'INSERT';
  if (isInserted && mappings.length === 0) problems.push(missing(pointer, 'captionLanguageMappings'));
  if (!isInserted && mappings.length > 0) {
    problems.push({ pointer: `${pointer}/captionLanguageMappings`, text: 'Needs captionLanguageSetting INSERT' });
  }
  mappings.forEach(({ CaptionChannel: channel }, index) => {
    const at = `${pointer}/captionLanguageMappings/${index}`;
    if (channel === undefined) problems.push(missing(at, 'captionChannel'));
    else if (channel < 1 || channel > 4) {
      problems.push({ pointer: `${at}/captionChannel`, text: 'Should be between 1 and 4' });
    }
  });
}

/** Selectors are known by their names, and something has to run beside the captions. */
export function checkJobCaptions(settings: JobSettings, pointer: string, problems: Problem[]): void {
  const inputs = settings.Inputs ?? [];
  const outputs = (settings.OutputGroups ?? []).flatMap((group) => group.Outputs ?? []);
  const isPictureDecoded = outputs.some(
    ({ VideoDescription: video }) => video !== undefined && video.CodecSettings?.Codec !== 'PASSTHROUGH',
  );
  const isMediaWritten = outputs.some((output) => !isCaptionOutput(output));
  settings.OutputGroups?.forEach((group, groupIndex) =>
    group.Outputs?.forEach((output, outputIndex) => {
      const place = `${pointer}/outputGroups/${groupIndex}/outputs/${outputIndex}`;
      if (!isMediaWritten && isCaptionOutput(output)) {
        problems.push({ pointer: place, text: 'A job of captions alone is not supported: add a picture or a sound' });
      }
      output.CaptionDescriptions?.forEach((caption, index) => {
        const { CaptionSelectorName: name } = caption;
        if (name === undefined) return;
        const selectors = inputs.flatMap((input) => input.CaptionSelectors?.[name] ?? []);
        const at = `${place}/captionDescriptions/${index}/captionSelectorName`;
        if (selectors.length === 0) {
          problems.push({ pointer: at, text: `No input has a caption selector named "${name}"`, isMissing: true });
        }
        const types = selectors.map(({ SourceSettings }) => SourceSettings?.SourceType);
        if (types.includes('EMBEDDED') && !isPictureDecoded) {
          problems.push({ pointer: at, text: 'EMBEDDED captions are read from a picture, which no output decodes' });
        }
        const isMixed =
          types.includes('EMBEDDED') && types.some((type) => type !== 'EMBEDDED' && type !== 'NULL_SOURCE');
        if (isMixed && destinationType(caption) === 'EMBEDDED') {
          problems.push({ pointer: at, text: 'EMBEDDED captions cannot come from pictures and from files both' });
        }
      });
    }),
  );
}
