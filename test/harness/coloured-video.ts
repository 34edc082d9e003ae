import assert from 'node:assert/strict';
import { type FFmpeg, loadFFmpeg } from '#media/ffmpeg/load-ffmpeg.ts';
import { openCodec } from '#media/ffmpeg/open-codec.ts';
import { ElementCursor } from '#media/matroska/element-cursor.ts';
import { ELEMENT } from '#media/matroska/element-ids.ts';
import type { HeaderEvent } from '#media/matroska/matroska-events.ts';
import { MatroskaParser } from '#media/matroska/matroska-parser.ts';
import { type Frame, readFrames } from '#media/matroska/read-frames.ts';
import type { Track } from '#media/matroska/tracks.ts';
import { blockContent, cluster, element } from './matroska-builder.ts';

/** As FFmpeg's filters know them; what they look like in RGB. */
export const COLOURS = { red: [255, 0, 0], lime: [0, 255, 0], blue: [0, 0, 255], white: [255, 255, 255] } as const;
export type Colour = keyof typeof COLOURS;

export interface ColouredVideoFacts {
  readonly codec?: 'h264' | 'hevc';
  /** One second of each. */
  readonly colours: readonly Colour[];
  /** Seconds of a fragment; 1 when absent. */
  readonly fragmentSeconds?: number;
  readonly framesPerSecond?: number;
  readonly width?: number;
  readonly height?: number;
  /** A test picture, or noise, in place of the colours. */
  readonly pattern?: 'testsrc2' | 'noise';
}

/** A film whose colour says what time it is, as a Matroska stream. */
export interface ColouredVideo {
  /** EBML header, Segment, Info, Tracks. */
  readonly header: Buffer;
  readonly track: Track;
  /** In decoding order, with B-frames. */
  readonly frames: readonly Frame[];
  readonly fragments: readonly ColouredFragment[];
}

interface ColouredFragment {
  /** Milliseconds since the film's beginning. */
  readonly offsetMs: number;
  readonly frames: readonly Frame[];
  /** The Cluster, where the film begins at `baseMs`. */
  cluster(baseMs: number): Buffer;
}

/** Encodes a film in memory, with node-av. */
export async function makeColouredVideo(facts: ColouredVideoFacts): Promise<ColouredVideo> {
  const ffmpeg = await loadFFmpeg();
  const header = readMatroska(encode(ffmpeg, facts));
  const [track] = header.event.tracks;
  assert.ok(track?.codecPrivate);
  const fragments: ColouredFragment[] = [];
  const begins = header.frames.flatMap((frame, index) => (frame.isKeyframe ? [index] : []));
  begins.forEach((begin, index) => {
    const frames = header.frames.slice(begin, begins[index + 1]);
    const offsetMs = frames[0]?.timecodeMs ?? 0;
    fragments.push({ offsetMs, frames, cluster: (baseMs) => clusterOf(frames, offsetMs, baseMs) });
  });
  return { header: header.event.bytes, track, frames: header.frames, fragments };
}

function clusterOf(frames: readonly Frame[], offsetMs: number, baseMs: number): Buffer {
  const blocks = frames.map(({ timecodeMs, isKeyframe, payload }) =>
    element(ELEMENT.simpleBlock, blockContent({ time: Math.round(timecodeMs - offsetMs), isKeyframe, payload })),
  );
  return cluster(baseMs + offsetMs, { blocks, size: 8 });
}

/** What is in FFmpeg's own Matroska, whose Clusters need not begin at key frames. */
function readMatroska(bytes: Buffer): { readonly event: HeaderEvent; readonly frames: readonly Frame[] } {
  const event = new MatroskaParser().push(bytes).find((one) => one.type === 'header');
  assert.ok(event);
  const outer = new ElementCursor(bytes);
  assert.ok(outer.next() && outer.next(true));
  const elements = outer.children();
  const frames: Frame[] = [];
  while (elements.next()) {
    if (elements.id !== ELEMENT.cluster) continue;
    frames.push(...readFrames(bytes.subarray(elements.start, elements.dataEnd), event.tracks, event.timecodeScale));
  }
  return { event, frames };
}

function encode(ffmpeg: FFmpeg, facts: ColouredVideoFacts): Buffer {
  const { colours, fragmentSeconds = 1, framesPerSecond: rate = 10, width = 64, height = 48 } = facts;
  const sources = colours.map((name, index) => {
    const size = `s=${width}x${height}:r=${rate}:d=1`;
    if (facts.pattern === 'testsrc2') return `testsrc2=${size}[c${index}]`;
    return `color=c=${name}:${size}${facts.pattern === 'noise' ? ',noise=alls=100:allf=t' : ''}[c${index}]`;
  });
  const pads = colours.map((_, index) => `[c${index}]`).join('');
  const chain = `${pads}concat=n=${colours.length}:v=1:a=0,settb=1/${rate},format=yuv420p,buffersink@out`;
  const graph = new ffmpeg.FilterGraph();
  graph.alloc();
  assert.ok(graph.parsePtr([...sources, chain].join(';')) >= 0 && graph.configSync() >= 0);
  const sink = graph.getFilter('buffersink@out');
  const gop = rate * fragmentSeconds;
  const isHevc = facts.codec === 'hevc';
  const codec = ffmpeg.Codec.findEncoderByName(isHevc ? ffmpeg.FF_ENCODER_LIBX265 : ffmpeg.FF_ENCODER_LIBX264);
  assert.ok(codec && sink);
  const context = new ffmpeg.CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = ffmpeg.AV_PIX_FMT_YUV420P;
  context.timeBase = new ffmpeg.Rational(1, rate);
  context.framerate = new ffmpeg.Rational(rate, 1);
  context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER);
  const options: Record<string, string | number> = isHevc
    ? {
        preset: 'ultrafast',
        'x265-params': `log-level=none:keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:bframes=2`,
      }
    : { preset: 'veryfast', g: gop, keyint_min: gop, sc_threshold: 0, bf: 2 };
  openCodec(ffmpeg, context, codec, options, 0, 'encoder');
  const muxed = muxMatroska(ffmpeg, context, () => {
    const frame = new ffmpeg.Frame();
    frame.alloc();
    const hasFrame = sink.buffersinkGetFrameSync(frame) >= 0;
    if (hasFrame) frame.pictType = ffmpeg.AV_PICTURE_TYPE_NONE;
    return hasFrame ? frame : undefined;
  });
  graph.free();
  return muxed;
}

type Context = InstanceType<FFmpeg['CodecContext']>;
type Picture = InstanceType<FFmpeg['Frame']>;

function muxMatroska(ffmpeg: FFmpeg, context: Context, next: () => Picture | undefined): Buffer {
  const written: Buffer[] = [];
  const format = new ffmpeg.FormatContext();
  assert.ok(format.allocOutputContext2(null, 'matroska', null) >= 0);
  const io = new ffmpeg.IOContext();
  const take = (bytes: Buffer) => {
    written.push(Buffer.from(bytes));
    return bytes.length;
  };
  io.allocContextWithCallbacks(65_536, 1, null, take, null);
  format.pb = io;
  format.setFlags(ffmpeg.AVFMT_FLAG_CUSTOM_IO);
  const stream = format.newStream();
  stream.codecpar.fromContext(context);
  stream.timeBase = context.timeBase;
  assert.ok(format.writeHeaderSync(null) >= 0);
  const packet = new ffmpeg.Packet();
  packet.alloc();
  const drain = () => {
    while (context.receivePacketSync(packet) >= 0) {
      packet.streamIndex = 0;
      packet.duration ||= 1n;
      packet.rescaleTs(context.timeBase, stream.timeBase);
      assert.ok(format.writeFrameSync(packet) >= 0);
      packet.unref();
    }
  };
  for (let frame = next(); frame !== undefined; frame = next()) {
    assert.ok(context.sendFrameSync(frame) >= 0);
    frame.free();
    drain();
  }
  context.sendFrameSync(null);
  drain();
  format.writeTrailerSync();
  io.flushSync();
  format.pb = null;
  format.freeContext();
  io.freeContext();
  packet.free();
  context.freeContext();
  return Buffer.concat(written);
}
