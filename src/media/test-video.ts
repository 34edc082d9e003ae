import { AudioEncoder } from './ffmpeg/audio-encoder.ts';
import { check, present } from './ffmpeg/check.ts';
import { loadFFmpeg } from './ffmpeg/load-ffmpeg.ts';
import type { FFmpeg } from './ffmpeg/load-ffmpeg.ts';
import { Muxer } from './ffmpeg/muxer.ts';
import { openCodec } from './ffmpeg/open-codec.ts';
import { PacketInterleaver } from './ffmpeg/packet-interleaver.ts';
import { receiverFor } from './ffmpeg/outputs.ts';
import { Mp4Writer } from './packaging/mp4-writer.ts';
import { ERROR_CODES } from './transcode-error.ts';

export interface TestVideoFacts {
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  /** Frames a second; 30 when absent. */
  readonly framesPerSecond?: number;
  /** Bits a second of the picture; x264 decides when absent. */
  readonly bitrate?: number;
  /** True leaves the sound out. */
  readonly isSilent?: boolean;
  /** Where the index stands; at the front when absent. */
  readonly moov?: 'front' | 'end';
}

const SAMPLE_RATE = 48_000;

/**
 * Makes a short test film in memory: a moving test picture and a tone, H.264 and AAC in MP4.
 *
 * @throws FFmpegMissingError without node-av
 */
export async function makeTestVideo(facts: TestVideoFacts): Promise<Buffer> {
  const ffmpeg = await loadFFmpeg();
  const parts = new Map<number, Uint8Array>();
  const sink = {
    open: () => 0,
    part: (_object: number, part: number, bytes: Uint8Array) => void parts.set(part, bytes),
    end: () => undefined,
  };
  const writer = new Mp4Writer(sink, { key: 'test.mp4', contentType: 'video/mp4' }, facts.moov ?? 'front');
  const video = openPicture(ffmpeg, facts);
  const settings = { kind: 'aac', bitrate: 128_000, sampleRate: SAMPLE_RATE, channels: 2 } as const;
  const audio = facts.isSilent === true ? undefined : new AudioEncoder(ffmpeg, settings, 1);
  const tracks = [video, ...(audio === undefined ? [] : [audio.context])].map((encoder) => ({ encoder }));
  const muxer = new Muxer(ffmpeg, 'mp4', tracks, writer, {});
  const interleaver = new PacketInterleaver(tracks.length, (track, packet) => muxer.write(track, packet));
  audio?.addReceiver(receiverFor(interleaver, 1, audio.context.timeBase));
  runSource(ffmpeg, pictureSource(facts), (frame) => {
    frame.pictType = ffmpeg.AV_PICTURE_TYPE_NONE;
    encodePicture(ffmpeg, video, frame, receiverFor(interleaver, 0, video.timeBase));
  });
  encodePicture(ffmpeg, video, null, receiverFor(interleaver, 0, video.timeBase));
  interleaver.end(0);
  if (audio !== undefined) {
    const tone = `sine=frequency=440:sample_rate=${SAMPLE_RATE}:duration=${facts.seconds},${audio.formatFilter}`;
    runSource(ffmpeg, `${tone},abuffersink@out`, (frame) => audio.encode(frame));
    audio.finish();
    interleaver.end(1);
  }
  muxer.flush();
  writer.beginTrailer();
  muxer.finish();
  writer.end();
  return Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
}

function pictureSource(facts: TestVideoFacts): string {
  const size = `size=${facts.width}x${facts.height}`;
  const rate = facts.framesPerSecond ?? 30;
  return `testsrc2=${size}:rate=${rate}:duration=${facts.seconds},format=yuv420p,buffersink@out`;
}

type SourceFrame = InstanceType<FFmpeg['Frame']>;

function runSource(ffmpeg: FFmpeg, text: string, take: (frame: SourceFrame) => void): void {
  const graph = new ffmpeg.FilterGraph();
  graph.alloc();
  const what = 'Error making the test film';
  check(ffmpeg, graph.parsePtr(text), ERROR_CODES.unknown, what);
  check(ffmpeg, graph.configSync(), ERROR_CODES.unknown, what);
  const sink = present(graph.getFilter(text.includes('abuffersink') ? 'abuffersink@out' : 'buffersink@out'), what);
  const frame = new ffmpeg.Frame();
  frame.alloc();
  while (sink.buffersinkGetFrameSync(frame) >= 0) {
    take(frame);
    frame.unref();
  }
  frame.free();
  graph.free();
}

type Encoder = InstanceType<FFmpeg['CodecContext']>;

function openPicture(ffmpeg: FFmpeg, facts: TestVideoFacts): Encoder {
  const rate = facts.framesPerSecond ?? 30;
  const codec = present(ffmpeg.Codec.findEncoderByName(ffmpeg.FF_ENCODER_LIBX264), 'This FFmpeg has no H.264 encoder.');
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.width = facts.width;
  context.height = facts.height;
  context.pixelFormat = ffmpeg.AV_PIX_FMT_YUV420P;
  context.timeBase = new ffmpeg.Rational(1, rate);
  context.framerate = new ffmpeg.Rational(rate, 1);
  if (facts.bitrate !== undefined) context.bitRate = BigInt(facts.bitrate);
  context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER);
  const options = { preset: 'ultrafast', g: rate * 2 };
  openCodec(ffmpeg, context, codec, options, ERROR_CODES.unknown, 'Error making the test film');
  return context;
}

function encodePicture(
  ffmpeg: FFmpeg,
  context: Encoder,
  frame: SourceFrame | null,
  receive: ReturnType<typeof receiverFor>,
): void {
  check(ffmpeg, context.sendFrameSync(frame), ERROR_CODES.unknown, 'Error making the test film');
  const packet = new ffmpeg.Packet();
  packet.alloc();
  while (context.receivePacketSync(packet) >= 0) {
    packet.duration = 1n;
    receive(packet);
    packet.unref();
  }
  packet.free();
}
