import type { FileOutput } from '#media/output-group.ts';
import type { Output } from '@aws-sdk/client-mediaconvert';
import { planSounds } from './output-sounds.ts';
import { audioCodecSettings } from './audio-plan.ts';
import { captionExtension, planCaptions } from './caption-plan.ts';
import { planMovieFile, planTransportFile } from './movie-file-plan.ts';
import { videoSettings } from './video-plan.ts';

/** What has no container is what its codec makes. */
function planRaw(output: Output): FileOutput['container'] {
  if (output.VideoDescription !== undefined) return 'pictures';
  const codec = audioCodecSettings(output.AudioDescriptions?.[0]?.CodecSettings);
  if (codec.kind === 'aac') return codec.isLoas === true ? 'latm' : 'adts';
  // The rules let in no sound that is passed through without a container.
  return codec.kind === 'vorbis' || codec.kind === 'passthrough' ? 'ogg' : codec.kind;
}

/** How files are called whose container's name is not their ending. */
const EXTENSIONS: Readonly<Record<string, string>> = { pictures: 'jpg', adts: 'aac', latm: 'aac', aiff: 'aif' };

export function planFileOutput(output: Output): FileOutput {
  const { Container: name, Mp4Settings: mp4, MovSettings: mov, F4vSettings: f4v } = output.ContainerSettings ?? {};
  const movie = planMovieFile(output);
  const text = captionExtension(output);
  const plain = text !== undefined ? 'captions' : name === 'RAW' ? planRaw(output) : name === 'MOV' ? 'mov' : 'mp4';
  const container = movie?.[0] ?? plain;
  const placement = container === 'f4v' ? f4v?.MoovPlacement : mp4?.MoovPlacement;
  const isFront = (container === 'mp4' || container === 'f4v') && placement !== 'NORMAL';
  const isTransport = container === 'm2ts';
  const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
  return {
    nameModifier: output.NameModifier ?? '',
    extension: output.Extension ?? text ?? movie?.[1] ?? EXTENSIONS[container] ?? container,
    container,
    ...(isTransport && { transport: planTransportFile(output.ContainerSettings?.M2tsSettings ?? {}) }),
    moov: isFront ? 'front' : 'end',
    ...((container === 'mp4' ? mp4?.CslgAtom : mov?.CslgAtom) === 'INCLUDE' && {
      compositionShift: mp4?.CttsVersion === 1 ? (1 as const) : (0 as const),
    }),
    ...(container === 'mp4' && mp4?.Mp4MajorBrand !== undefined && { majorBrand: mp4.Mp4MajorBrand }),
    ...(container === 'mp4' && mp4?.FreeSpaceBox === 'INCLUDE' && { hasFreeSpace: true }),
    ...(container === 'mov' && mov?.ClapAtom === 'INCLUDE' && { hasCleanAperture: true }),
    ...(video !== undefined && { video }),
    audios: planSounds(output),
    ...planCaptions(output),
  };
}
