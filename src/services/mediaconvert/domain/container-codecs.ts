import type { ContainerType, Output, VideoCodec } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';

/** Which pictures each container takes. */
const PICTURES: Readonly<Partial<Record<ContainerType, readonly VideoCodec[]>>> = {
  MP4: ['H_264', 'H_265', 'AV1', 'PASSTHROUGH'],
  MOV: ['H_264', 'H_265', 'MPEG2', 'PRORES', 'VC3', 'AVC_INTRA', 'XAVC', 'PASSTHROUGH'],
  M2TS: ['H_264', 'H_265', 'MPEG2', 'PASSTHROUGH'],
  MXF: ['H_264', 'MPEG2', 'VC3', 'AVC_INTRA', 'XAVC'],
  WEBM: ['VP8', 'VP9'],
  F4V: ['H_264', 'PASSTHROUGH'],
  OGG: [],
  GIF: ['GIF'],
  Y4M: ['UNCOMPRESSED'],
  RAW: ['FRAME_CAPTURE', 'H_264', 'H_265', 'MPEG2'],
  ISMV: ['H_264'],
  M3U8: ['H_264', 'H_265', 'PASSTHROUGH'],
  MPD: ['H_264', 'H_265', 'AV1', 'PASSTHROUGH'],
  CMFC: ['H_264', 'H_265', 'AV1', 'PASSTHROUGH'],
};

/** Those in which nothing is beside the picture. */
const SILENT: readonly (ContainerType | undefined)[] = ['GIF', 'Y4M'];

/** Checks that a container takes the picture, and sound beside it. */
export function checkPictureContainer(output: Output, pointer: string, problems: Problem[]): void {
  const { Container: container } = output.ContainerSettings ?? {};
  const codec = output.VideoDescription?.CodecSettings?.Codec;
  const sounds = output.AudioDescriptions ?? [];
  const at = `${pointer}/videoDescription/codecSettings/codec`;
  const codecs = container === undefined ? undefined : PICTURES[container];
  if (codec !== undefined && codecs !== undefined && !codecs.includes(codec)) {
    problems.push({
      pointer: at,
      text: `${codec} is not supported in container ${container}${codecs.length === 0 ? '' : `; ${list(codecs)} are`}`,
    });
  }
  const isAlone = SILENT.includes(container) || (container === 'RAW' && codec !== undefined);
  if (isAlone && sounds.length > 0) {
    problems.push({ pointer: `${pointer}/audioDescriptions`, text: `Is not allowed beside ${codec ?? 'a picture'}` });
  }
  if (isAlone && codec === undefined && output.VideoDescription === undefined) {
    problems.push({ pointer, text: `Container ${container} needs a videoDescription` });
  }
  checkMpeg2Name(output, pointer, problems);
  checkMxfProfile(output, pointer, problems);
}

function list(codecs: readonly string[]): string {
  return codecs.join(', ');
}

/** The muxer writes the name that XDCAM gives to a size and rate, where there is one. */
function checkMpeg2Name(output: Output, pointer: string, problems: Problem[]): void {
  const isMpeg2 = output.VideoDescription?.CodecSettings?.Codec === 'MPEG2';
  if (!isMpeg2 || output.ContainerSettings?.MovSettings?.Mpeg2FourCCControl !== 'MPEG') return;
  const at = `${pointer}/containerSettings/movSettings/mpeg2FourCCControl`;
  problems.push({ pointer: at, text: 'MPEG is not supported' });
}

/** The codecs of MXF's profiles. */
const PROFILES: Readonly<Record<string, readonly string[]>> = {
  XDCAM: ['MPEG2'],
  XDCAM_RDD9: ['MPEG2'],
  XAVC: ['XAVC'],
};

function checkMxfProfile(output: Output, pointer: string, problems: Problem[]): void {
  const profile = output.ContainerSettings?.MxfSettings?.Profile;
  const settings = output.VideoDescription?.CodecSettings;
  const at = `${pointer}/containerSettings/mxfSettings/profile`;
  const codecs = profile === undefined ? undefined : PROFILES[profile];
  if (codecs !== undefined && settings?.Codec !== undefined && !codecs.includes(settings.Codec)) {
    problems.push({ pointer: at, text: `${profile} needs codec ${list(codecs)}` });
  }
}
