import type { RenditionEncryption } from '../content-encryption.ts';
import type { SmoothGroup, SmoothOutput } from '../output-group.ts';
import { FileProtection } from '../packaging/cenc/file-protection.ts';
import { TrackProtection } from '../packaging/cenc/track-protection.ts';
import { annexBPieces, splitAnnexB } from '../packaging/codecs/nal-units.ts';
import type { PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { SmoothTrack } from '../packaging/smooth-manifests.ts';
import { SmoothWriter } from '../packaging/smooth-writer.ts';
import type { FFmpeg } from './load-ffmpeg.ts';
import {
  fileResult,
  interleaved,
  muxerTracks,
  nameFacts,
  type Output,
  type OutputTracks,
  renditionEncryption,
  secondsOf,
} from './outputs.ts';

export interface SmoothOutputHandle extends Output {
  /** What the manifests say of it, once it is finished. */
  smoothTracks(): readonly SmoothTrack[];
  /** How long it is. */
  readonly seconds: number;
}

/** One file of a Smooth Streaming group. */
export function openSmoothOutput(
  ffmpeg: FFmpeg,
  group: SmoothGroup,
  output: SmoothOutput,
  tracks: OutputTracks,
  sink: PartSink,
  facts: { readonly startedAt: number; readonly fragmentSeconds: number },
): SmoothOutputHandle {
  const named = nameFacts(group, output.extension, tracks, output, facts.startedAt);
  const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}.${output.extension}`, named);
  const list = muxerTracks(tracks);
  const { video } = tracks;
  const { fragmentSeconds } = facts;
  // Before the file is finished, when the encoders are gone.
  const configs = list.map(({ encoder }) => Buffer.from(encoder.extraData ?? []));
  const encryption = renditionEncryption(group.content, tracks);
  const writer = new SmoothWriter(ffmpeg, {
    sink,
    key,
    tracks: list,
    hasPicture: video !== undefined,
    fragmentSeconds,
    ...(encryption !== undefined && { protection: protectionOf(encryption, tracks) }),
  });
  return {
    ...interleaved(list, (track, packet) => writer.write(track, packet)),
    get seconds() {
      return secondsOf(tracks);
    },
    finish() {
      writer.finish();
      return fileResult(`s3://${group.bucket}/${key}`, tracks, writer.length);
    },
    smoothTracks: () =>
      list.map((_, index) => {
        const fragments = writer.fragments.filter(({ track }) => track === index + 1);
        const ticks = fragments.reduce((sum, fragment) => sum + fragment.ticks, 0);
        const bytes = fragments.reduce((sum, fragment) => sum + fragment.bytes, 0);
        const audio = tracks.audios[index - (video === undefined ? 0 : 1)];
        const isPicture = video !== undefined && index === 0;
        const config = configs[index] ?? Buffer.alloc(0);
        return {
          file: key.slice(key.lastIndexOf('/') + 1),
          id: index + 1,
          bitrate: Math.max(1, Math.round((bytes * 8 * TICKS) / Math.max(1, ticks))),
          fourCc: isPicture ? ('H264' as const) : isReplicated(audio) ? 'AACH' : 'AACL',
          codecPrivateData: isPicture ? parameterSets(config) : config.toString('hex').toUpperCase(),
          fragments,
          ...(isPicture ? { picture: video.picture } : soundOf(audio)),
        };
      }),
  };
}

/** One key for all tracks, as the manifests can name no more. */
function protectionOf(encryption: RenditionEncryption, { video, audios }: OutputTracks): FileProtection {
  const pictures = video === undefined ? [] : [new TrackProtection(encryption, 'h264')];
  return new FileProtection([...pictures, ...audios.map(() => new TrackProtection(encryption, 'sound'))], 'piff');
}

const TICKS = 10_000_000;

/** Of both versions of HE-AAC, which the configuration tells apart. */
function isReplicated(audio: OutputTracks['audios'][number] | undefined): boolean {
  return audio?.encoder.codecName === 'mp4a.40.5' || audio?.encoder.codecName === 'mp4a.40.29';
}

function soundOf(audio: OutputTracks['audios'][number] | undefined): Pick<SmoothTrack, 'sound'> {
  if (audio === undefined) return {};
  const { language, streamName } = audio.settings;
  const { sampleRate, channels } = audio.encoder.settings;
  return {
    sound: {
      sampleRate,
      channels,
      ...(language !== undefined && { language }),
      ...(streamName !== undefined && { title: streamName }),
    },
  };
}

/** The sequence and picture parameter sets with start codes of four bytes, and nothing else. */
function parameterSets(config: Buffer): string {
  const TYPES = [7, 8];
  const units = splitAnnexB(config).filter(([first = 0]) => TYPES.includes(first & 0x1f));
  return Buffer.concat(annexBPieces(units)).toString('hex').toUpperCase();
}
