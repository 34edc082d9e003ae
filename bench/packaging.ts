import { readFileSync } from 'node:fs';
import type { Packet } from 'node-av/lib';
import { type FFmpeg, loadFFmpeg } from '#media/ffmpeg/load-ffmpeg.ts';
import { MediaInput } from '#media/ffmpeg/media-input.ts';
import type { MuxerTrack } from '#media/ffmpeg/muxer.ts';
import { replaceData } from '#media/ffmpeg/packet-data.ts';
import { FragmentedSegmenter } from '#media/packaging/fragmented-segmenter.ts';
import { HlsSegmenter } from '#media/packaging/hls-segmenter.ts';
import type { PartSink } from '#media/packaging/object-writer.ts';
import { segmentNames } from '#media/packaging/segment-template.ts';
import { makeTestVideo } from '#media/test-video.ts';
import type { RenditionEncryption } from '#media/content-encryption.ts';
import { ANY_USE } from '#media/content-encryption.ts';
import type { HlsGroup } from '#media/output-group.ts';
import type { VideoSettings } from '#media/video-settings.ts';
import { startTranscode } from '#media/transcoder.ts';
import { ObjectServer } from '#test/fixtures/media/object-server.ts';
import { hlsGroup, testJob, testVideo } from '#test/fixtures/media/transcode-jobs.ts';
import { median, type Result } from './result.ts';

/**
 * What packaging costs, and content encryption: a ladder is transcoded, and its packets then go once more through the
 * segmenter alone, in the clear and encrypted, in turn. Processor time of the one over processor time of the other.
 */
export async function benchPackaging(seconds = 20, rounds = 5): Promise<readonly Result[]> {
  const film = await makeTestVideo({ seconds, width: 1920, height: 1080, bitrate: 8_000_000 });
  const server = await ObjectServer.start();
  server.put('in/in.mp4', film);
  const group = hlsGroup(LADDER.map(([width, height, bitrate]) => ({ video: videoOf(width, height, bitrate) })));
  const before = childSeconds();
  const credentials = async () => ({ accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T', expiresAt: Infinity });
  const access = { endpoint: server.endpoint, region: 'us-east-1', credentials };
  await startTranscode(testJob([group]), access, () => undefined).result;
  const transcode = childSeconds() - before;
  const ffmpeg = await loadFFmpeg();
  const renditions = LADDER.map((_, index) => {
    const names = [...server.objects.keys()].filter((name) => name.startsWith(`out/hls/film_${index + 1}_`)).sort();
    return readPackets(ffmpeg, Buffer.concat(names.map((name) => server.bytes(name))));
  });
  await server.stop();
  const spent = new Map<Method, number[]>(METHODS.map((method) => [method, []]));
  for (let round = 0; round < rounds; round++) {
    for (const method of METHODS) {
      const begin = process.cpuUsage();
      for (const rendition of renditions) packageOnce(ffmpeg, group, rendition, method);
      const { user, system } = process.cpuUsage(begin);
      spent.get(method)?.push((user + system) / 1e6);
    }
  }
  const of = (method: Method): number => median(spent.get(method) ?? []);
  return METHODS.map((method) => ({
    name: `packaging of that ladder in ${method.startsWith('CMAF') ? '' : 'HLS, '}${method}`,
    value: of(method) / transcode,
    unit: 'of the transcode’s processor time',
    target: 0.05,
    isAtMost: true,
    detail: `${(of(method) * 1000).toFixed(0)} ms, the transcode ${transcode.toFixed(1)} s`,
  }));
}

/** Pixels, and bits a second. */
const LADDER = [
  [1920, 1080, 5_000_000],
  [1280, 720, 3_000_000],
  [640, 360, 1_000_000],
] as const;

function videoOf(width: number, height: number, bitrate: number): VideoSettings {
  const video = testVideo(width, height);
  return { ...video, codec: { ...video.codec, rateControl: { mode: 'cbr', bitrate } } };
}

const METHODS = ['in the clear', 'AES-128', 'SAMPLE-AES', 'CMAF in the clear', 'CMAF by cenc', 'CMAF by cbcs'] as const;
type Method = (typeof METHODS)[number];

interface Rendition {
  readonly tracks: readonly MuxerTrack[];
  readonly packets: readonly { readonly track: number; readonly packet: Packet }[];
}

const TICKS = 90_000;

/** Takes a transport stream apart; the decoders stand for the encoders that made it. */
function readPackets(ffmpeg: FFmpeg, bytes: Buffer): Rendition {
  const source = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) };
  const input = MediaInput.open(ffmpeg, source, 'memory');
  const tracks = [input.findVideo(), input.findAudios({ kind: 'default' })?.[0]].map((stream, index) => {
    if (stream === undefined) throw new Error('The ladder has no such stream.');
    const encoder = input.openDecoder(stream);
    encoder.timeBase = new ffmpeg.Rational(1, TICKS);
    if (index === 1) encoder.extraData = Buffer.of(0x11, 0x90);
    return { encoder, id: stream.id, ...(index === 0 && { framerate: { num: 30, den: 1 } }) };
  });
  const packets: { track: number; packet: Packet }[] = [];
  const packet = new ffmpeg.Packet();
  packet.alloc();
  while (input.readPacket(packet)) {
    const copy = packet.clone();
    if (copy !== null) packets.push({ track: packet.streamIndex, packet: copy });
    packet.unref();
  }
  packet.free();
  input.close();
  return { tracks, packets };
}

/** The methods of the media by the methods of the bench. */
const KEY_METHODS: Readonly<Record<Method, RenditionEncryption['method'] | undefined>> = {
  'in the clear': undefined,
  'AES-128': 'AES-128',
  'SAMPLE-AES': 'SAMPLE-AES',
  'CMAF in the clear': undefined,
  'CMAF by cenc': 'SAMPLE-AES-CTR',
  'CMAF by cbcs': 'SAMPLE-AES',
};

const ADTS_HEADER = 7;
const NOWHERE: PartSink = { open: () => 0, part: () => undefined, end: () => undefined };

/** Each track in segments of its own. */
function packageFragmented(
  ffmpeg: FFmpeg,
  { tracks, packets }: Rendition,
  encryption: RenditionEncryption | undefined,
): void {
  tracks.forEach((track, index) => {
    const isVideo = index === 0;
    const segmenter = new FragmentedSegmenter(ffmpeg, {
      sink: NOWHERE,
      track,
      isVideo,
      names: segmentNames('film', `_${index}`, (text) => text, '1'),
      extension: 'mp4',
      isSingleFile: false,
      segmentSeconds: 2,
      fragmentSeconds: 2,
      codec: '',
      hasIFrames: false,
      ...(encryption !== undefined && { protection: { encryption, codec: isVideo ? 'h264' : 'sound' } }),
    });
    for (const { track: of, packet } of packets) {
      if (of !== index) continue;
      const copy = packet.clone();
      if (copy === null) throw new Error('Out of memory.');
      // Without the header that sound has in transport streams.
      if (!isVideo) replaceData(copy, Buffer.from(copy.data?.subarray(ADTS_HEADER) ?? []));
      segmenter.write(copy);
      copy.free();
    }
    segmenter.finish();
  });
}

function packageOnce(ffmpeg: FFmpeg, group: HlsGroup, rendition: Rendition, method: Method): void {
  const { tracks, packets } = rendition;
  const [output] = group.outputs;
  if (output === undefined) throw new Error('The group has no output.');
  const encryption: RenditionEncryption | undefined =
    KEY_METHODS[method] === undefined
      ? undefined
      : {
          method: KEY_METHODS[method],
          key: new Uint8Array(16),
          keyId: new Uint8Array(16),
          use: ANY_USE,
          isIvListed: true,
          isIvOfGroup: false,
          isSessionKeyWritten: false,
          clearSegments: 0,
          playlists: [{ kind: 'address', uri: 'https://keys' }],
          dash: [],
          smooth: [],
          psshs: [],
        };
  if (method.startsWith('CMAF')) {
    packageFragmented(ffmpeg, rendition, encryption);
    return;
  }
  const segmenter = new HlsSegmenter(ffmpeg, {
    group: { ...group, ...(encryption !== undefined && { encryption }) },
    sink: NOWHERE,
    base: 'film',
    segmentKey: (number) => `film_${number}.ts`,
    tracks,
    transport: output.transport,
    audioFrameBytes: 256,
    videoKind: 'h264',
    segmentSeconds: 2,
    audioCodecs: ['mp4a.40.2'],
  });
  for (const { track, packet } of packets) {
    const copy = packet.clone();
    if (copy === null) throw new Error('Out of memory.');
    segmenter.write(track, copy);
    copy.free();
  }
  segmenter.finish(packets.length / 30);
}

/** Processor time of child processes that have ended, in seconds. */
function childSeconds(): number {
  const CLOCK_TICKS = 100;
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / CLOCK_TICKS;
}

if (import.meta.main) console.log(JSON.stringify(await benchPackaging(), null, 2));
