import { parseLocation } from '#media/media-location.ts';
import type { MediaLocation } from '#media/transcode-input.ts';
import type { CaptionSelector, ImageInserter, JobSettings } from '@aws-sdk/client-mediaconvert';

/**
 * The files that a job's settings name beside its inputs (images, captions, sound), each once: the worker opens them
 * through its auxiliary port, and preflight asks whether the role may.
 */
export function auxiliaryFiles(settings: JobSettings): readonly MediaLocation[] {
  const inserters = [
    ...(settings.Inputs ?? []).map((input) => input.ImageInserter),
    ...(settings.OutputGroups ?? [])
      .flatMap((group) => group.Outputs ?? [])
      .map((output) => output.VideoDescription?.VideoPreprocessors?.ImageInserter),
  ];
  const sounds = (settings.Inputs ?? []).flatMap((input) =>
    Object.values(input.AudioSelectors ?? {}).flatMap(({ ExternalAudioFileInput: uri }) => uri ?? []),
  );
  const captions = (settings.Inputs ?? []).flatMap((input) =>
    Object.values(input.CaptionSelectors ?? {}).flatMap(captionFile),
  );
  const stills = (settings.Inputs ?? []).flatMap(({ VideoGenerator: made }) => made?.ImageInput ?? []);
  const motion = settings.MotionImageInserter?.Input;
  const uris = [
    ...inserters.flatMap(imagesOf),
    ...stills,
    ...sounds,
    ...captions,
    ...(settings.ColorConversion3DLUTSettings ?? []).flatMap(({ FileInput: uri }) => uri ?? []),
    ...(motion === undefined ? [] : [motion]),
  ];
  return [...new Set(uris)].map(parseLocation);
}

function captionFile({ SourceSettings: source }: CaptionSelector): string[] {
  const uri = source?.FileSourceSettings?.SourceFile;
  return uri === undefined ? [] : [uri];
}

function imagesOf(inserter: ImageInserter | undefined): string[] {
  return (inserter?.InsertableImages ?? []).flatMap(({ ImageInserterInput: uri }) => (uri === undefined ? [] : [uri]));
}
