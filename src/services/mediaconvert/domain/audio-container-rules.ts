import type { AudioDescription, Output } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';

/** The codecs of sound that are in each container; RAW is the codec's own file. */
const CODECS: Readonly<Record<string, readonly string[]>> = {
  MP4: ['AAC', 'AC3', 'EAC3', 'MP3', 'FLAC', 'OPUS', 'PASSTHROUGH'],
  MOV: ['AAC', 'AC3', 'EAC3', 'MP2', 'MP3', 'WAV', 'AIFF', 'PASSTHROUGH'],
  M2TS: ['AAC', 'AC3', 'EAC3', 'MP2', 'MP3', 'PASSTHROUGH'],
  F4V: ['AAC', 'MP3'],
  M3U8: ['AAC', 'AC3', 'EAC3', 'MP2', 'MP3', 'PASSTHROUGH'],
  MPD: ['AAC', 'AC3', 'EAC3', 'FLAC', 'OPUS', 'PASSTHROUGH'],
  CMFC: ['AAC', 'AC3', 'EAC3', 'FLAC', 'OPUS', 'PASSTHROUGH'],
  ISMV: ['AAC'],
  WEBM: ['OPUS', 'VORBIS'],
  OGG: ['OPUS', 'VORBIS', 'FLAC'],
  MXF: ['WAV'],
  RAW: ['AAC', 'AC3', 'EAC3', 'MP2', 'MP3', 'WAV', 'AIFF', 'FLAC', 'OPUS', 'VORBIS'],
};

const TRANSPORT_STREAMS = ['M2TS', 'M3U8'];

/** The codec fits the container, and so does what the settings say of both. */
export function checkSoundFile(output: Output, pointer: string, problems: Problem[]): void {
  const container = output.ContainerSettings?.Container;
  output.AudioDescriptions?.forEach((audio, index) => {
    const at = `${pointer}/audioDescriptions/${index}`;
    const codec = audio.CodecSettings?.Codec;
    const codecs = CODECS[container ?? ''];
    if (codec !== undefined && codecs?.includes(codec) === false) {
      const text = `${codec} is not supported in container ${container}; it has ${codecs.join(', ')}`;
      problems.push({ pointer: `${at}/codecSettings/codec`, text });
    }
    if (container === 'RAW' && index > 0) {
      problems.push({ pointer: at, text: 'Should be an output of its own: RAW has one sound' });
    }
    if (codec === 'PASSTHROUGH' && isLengthMatched(output)) {
      const text = 'PASSTHROUGH is not supported with audioDuration MATCH_VIDEO_DURATION';
      problems.push({ pointer: `${at}/codecSettings/codec`, text });
    }
    if (container !== undefined) checkOwnHeaders(audio, container, at, problems);
  });
}

function isLengthMatched({ ContainerSettings: container = {} }: Output): boolean {
  return Object.values(container).some(
    (settings) =>
      typeof settings === 'object' && 'AudioDuration' in settings && settings.AudioDuration === 'MATCH_VIDEO_DURATION',
  );
}

function checkOwnHeaders(audio: AudioDescription, container: string, at: string, problems: Problem[]): void {
  const { AacSettings: aac } = audio.CodecSettings ?? {};
  if (aac?.RawFormat === 'LATM_LOAS' && container !== 'RAW') {
    problems.push({ pointer: `${at}/codecSettings/aacSettings/rawFormat`, text: 'LATM_LOAS needs container RAW' });
  }
  if (aac?.Specification === 'MPEG2' && container !== 'RAW') {
    const text = 'MPEG2 is supported in container RAW alone';
    problems.push({ pointer: `${at}/codecSettings/aacSettings/specification`, text });
  }
  if (aac?.Specification === 'MPEG2' && aac.RawFormat === 'LATM_LOAS') {
    problems.push({ pointer: `${at}/codecSettings/aacSettings/specification`, text: 'LATM_LOAS is MPEG4' });
  }
  const isTyped = (audio.AudioType ?? 0) > 0;
  if (isTyped && !TRANSPORT_STREAMS.includes(container)) {
    problems.push({ pointer: `${at}/audioType`, text: 'Is only supported in transport streams' });
  }
}
