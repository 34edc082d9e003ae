import type { JobSettings, Output, VideoDescription } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { pictureWorkOf } from './picture-rules.ts';

/** What has to hold for a picture that is copied: nothing is said of it that only an encoder could do. */
export function checkPassthrough(video: VideoDescription, pointer: string, problems: Problem[]): void {
  if (video.CodecSettings?.Codec !== 'PASSTHROUGH') return;
  for (const [member, value] of Object.entries(video)) {
    if (member === 'CodecSettings' || value === undefined || isNeutral(member, value)) continue;
    const name = member.charAt(0).toLowerCase() + member.slice(1);
    problems.push({ pointer: `${pointer}/${name}`, text: 'Is not allowed with codec PASSTHROUGH' });
  }
}

/** The values that jobs usually carry and that say nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  ScalingBehavior: ['DEFAULT'],
  TimecodeInsertion: ['DISABLED'],
  TimecodeTrack: ['DISABLED'],
  AntiAlias: ['ENABLED', 'DISABLED'],
  Sharpness: [50],
  RespondToAfd: ['NONE'],
  AfdSignaling: ['NONE'],
  ColorMetadata: ['INSERT'],
  DropFrameTimecode: ['ENABLED', 'DISABLED'],
  ChromaPositionMode: ['AUTO'],
};

function isNeutral(member: string, value: unknown): boolean {
  return NEUTRAL[member]?.includes(value) === true;
}

/** A copied sound is that of one input, as it is. */
export function checkCopiedSounds(settings: JobSettings, pointer: string, problems: Problem[]): void {
  const inputs = settings.Inputs ?? [];
  const isWhole =
    inputs.length <= 1 &&
    inputs.every((input) => (input.InputClippings ?? []).length === 0 && input.VideoGenerator === undefined);
  const selectors = inputs.flatMap(({ AudioSelectors: all }) => Object.values(all ?? {}));
  const isPlain = selectors.every(
    ({ Offset: offset = 0, RemixSettings: remix, ExternalAudioFileInput: external, SelectorType: type, ...named }) =>
      offset === 0 &&
      remix === undefined &&
      external === undefined &&
      type !== 'ALL_PCM' &&
      [named.Tracks, named.Pids, named.Streams].every((list) => (list ?? []).length <= 1),
  );
  if (isWhole && isPlain) return;
  settings.OutputGroups?.forEach((group, groupIndex) =>
    group.Outputs?.forEach((output, index) =>
      output.AudioDescriptions?.forEach((audio, place) => {
        if (audio.CodecSettings?.Codec !== 'PASSTHROUGH') return;
        const at = `${pointer}/outputGroups/${groupIndex}/outputs/${index}/audioDescriptions/${place}`;
        const text = 'PASSTHROUGH is supported with one input without clips, and selectors of one track as it is';
        problems.push({ pointer: `${at}/codecSettings/codec`, text });
      }),
    ),
  );
}

/** Captions that are on the picture or in it. */
const IN_PICTURE: readonly string[] = ['BURN_IN', 'EMBEDDED', 'EMBEDDED_PLUS_SCTE20', 'SCTE20_PLUS_EMBEDDED'];

/** Nothing is written onto or into a copied picture. */
export function checkCopiedCaptions(output: Output, pointer: string, problems: Problem[]): void {
  if (output.VideoDescription?.CodecSettings?.Codec !== 'PASSTHROUGH') return;
  output.CaptionDescriptions?.forEach(({ DestinationSettings: destination }, index) => {
    const type = destination?.DestinationType ?? '';
    if (!IN_PICTURE.includes(type)) return;
    const at = `${pointer}/captionDescriptions/${index}/destinationSettings/destinationType`;
    problems.push({ pointer: at, text: `${type} is not supported with codec PASSTHROUGH` });
  });
}

/** A copied picture can neither be cut between its key frames nor joined to one of another encoder. */
export function checkPassthroughInputs(settings: JobSettings, pointer: string, problems: Problem[]): void {
  const inputs = settings.Inputs ?? [];
  const changes = [...inputs.flatMap(pictureWorkOf), ...(settings.MotionImageInserter === undefined ? [] : ['motion'])];
  const isClipped = inputs.some(({ InputClippings: clips }) => (clips ?? []).length > 0);
  if (inputs.length <= 1 && !isClipped && changes.length === 0) return;
  settings.OutputGroups?.forEach((group, groupIndex) =>
    group.Outputs?.forEach((output, index) => {
      if (output.VideoDescription?.CodecSettings?.Codec !== 'PASSTHROUGH') return;
      const at = `${pointer}/outputGroups/${groupIndex}/outputs/${index}/videoDescription/codecSettings/codec`;
      const text = 'PASSTHROUGH is supported with one input without clips and changes of its pictures';
      problems.push({ pointer: at, text });
    }),
  );
}
