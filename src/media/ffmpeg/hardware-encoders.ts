import type { FFVideoEncoder } from 'node-av/constants';
import type { EncodedVideoSettings, PredictedPictureSettings, Rational, VideoSettings } from '../video-settings.ts';
import { h264RateFactor } from './h264-options.ts';
import { h265RateFactor } from './h265-options.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import { gopFrames, rateOptions } from './rate-options.ts';

/** An encoder of the graphics hardware, as it is opened for an output. */
export interface HardwareEncoder {
  readonly name: (typeof NAMES)['h264' | 'h265'][number];
  readonly pixelFormat: 'yuv420p' | 'nv12';
  readonly options: Readonly<Record<string, string | number>>;
}

/** In the order in which they are tried. Those of VAAPI take pictures that lie in the hardware's memory, and are not used. */
const NAMES = { h264: ['h264_nvenc', 'h264_qsv'], h265: ['hevc_nvenc', 'hevc_qsv'] } as const;

/**
 * The encoders that would carry out everything that is asked of an output; none where only x264 or x265 do.
 *
 * @param forcedKeySeconds set where key frames are forced
 */
export function hardwareEncoders(
  video: VideoSettings,
  framerate: Rational,
  forcedKeySeconds: number | undefined,
): readonly HardwareEncoder[] {
  const { codec, interlaced } = video;
  if ((codec.kind !== 'h264' && codec.kind !== 'h265') || interlaced !== undefined) return [];
  if (video.picture?.isTimecodeInserted === true) return [];
  if (!isPlain(codec) || !isUsualForm(codec)) return [];
  const [nvenc, qsv] = NAMES[codec.kind];
  const common = {
    profile: codec.profile,
    g: gopFrames(codec, framerate),
    forced_idr: forcedKeySeconds === undefined ? 0 : 1,
    ...(codec.level !== undefined && { level: codec.level }),
    ...(codec.bFrames !== undefined && { bf: codec.profile === 'baseline' ? 0 : codec.bFrames }),
  };
  const factor = codec.kind === 'h264' ? h264RateFactor : h265RateFactor;
  const { forced_idr: idr, ...rest } = common;
  const { crf, ...rate } = rateOptions(codec, factor);
  const first: HardwareEncoder = {
    name: nvenc,
    pixelFormat: 'yuv420p',
    options: {
      ...rest,
      ...rate,
      preset: { veryfast: 'p3', medium: 'p5', slow: 'p7' }[codec.preset],
      rc: codec.rateControl.mode === 'cbr' ? 'cbr' : 'vbr',
      ...(crf !== undefined && { cq: crf, b: 0 }),
      'forced-idr': idr,
      'no-scenecut': codec.isSceneChangeDetected ? 0 : 1,
      'spatial-aq': 1,
      'temporal-aq': codec.isTemporalAdaptive ? 1 : 0,
    },
  };
  // Its quality with a most is another one on each generation, which nobody could compare with x264's.
  if (codec.rateControl.mode === 'qvbr') return [first];
  return [first, { name: qsv, pixelFormat: 'nv12', options: { ...common, ...rate, preset: codec.preset } }];
}

/** Nothing is said that hardware has no means for. */
function isPlain(codec: PredictedPictureSettings): boolean {
  return (
    codec.isMultiPass !== true &&
    codec.rateControl.mode !== 'factor' &&
    !codec.isGopOpen &&
    codec.isFlickerReduced !== true &&
    codec.areTransitionsDetected !== true &&
    codec.minKeyInterval === undefined &&
    codec.bufferInitialFill === undefined &&
    codec.isBFrameCountAdaptive &&
    codec.areBFramesReferences === undefined &&
    codec.references === undefined &&
    (codec.slices ?? 1) === 1 &&
    codec.adaptiveQuantization === undefined
  );
}

/** Eight bits with a colour sample for four others. */
function isUsualForm(codec: EncodedVideoSettings): boolean {
  if (codec.kind === 'h264') {
    const isUsual = codec.profile === 'baseline' || codec.profile === 'main' || codec.profile === 'high';
    return isUsual && codec.tag !== 'avc3' && codec.entropy === undefined;
  }
  if (codec.kind !== 'h265' || codec.profile !== 'main' || codec.tier !== 'main') return false;
  const isTuned = codec.treeBlockSize !== undefined || codec.areTemporalLayersWritten === true;
  const isUsual = codec.isDeblocked && codec.isSampleOffsetAdaptive && codec.isMotionPredictedOverTime;
  return isUsual && !isTuned && codec.isHlgSignalled !== true;
}

/** Which encoders work here; asked of each once in a process. */
const known = new Map<string, boolean>();

/** True where an encoder makes a picture on this machine: that it is there and even opens says little. */
export function worksHere(ffmpeg: FFmpeg, { name, pixelFormat }: HardwareEncoder): boolean {
  const found = known.get(name) ?? makesPicture(ffmpeg, name, pixelFormat);
  known.set(name, found);
  return found;
}

function makesPicture(ffmpeg: FFmpeg, name: string, pixelFormat: 'yuv420p' | 'nv12'): boolean {
  const codec = ffmpeg.Codec.findEncoderByName(name as FFVideoEncoder);
  if (codec === null) return false;
  const [context, frame, packet] = [new ffmpeg.CodecContext(), new ffmpeg.Frame(), new ffmpeg.Packet()];
  context.allocContext3(codec);
  frame.alloc();
  packet.alloc();
  try {
    const format = ffmpeg.avGetPixFmtFromName(pixelFormat);
    [context.width, context.height, context.pixelFormat] = [256, 144, format];
    context.timeBase = new ffmpeg.Rational(1, 25);
    context.framerate = new ffmpeg.Rational(25, 1);
    [frame.width, frame.height, frame.format, frame.pts] = [256, 144, format, 0n];
    if (frame.getBuffer() < 0 || context.open2Sync(codec, null) < 0) return false;
    if (context.sendFrameSync(frame) < 0 || context.sendFrameSync(null) < 0) return false;
    return context.receivePacketSync(packet) >= 0 && packet.size > 0;
  } finally {
    context.freeContext();
    frame.free();
    packet.free();
  }
}
