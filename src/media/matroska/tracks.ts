import type { ElementCursor } from './element-cursor.ts';
import { ELEMENT } from './element-ids.ts';
import { invalid } from './matroska-error.ts';

type TrackType = 'video' | 'audio' | 'subtitle' | 'other';

/** What was done to a track's frames before they were put into blocks. */
type ContentEncoding =
  /** Each frame lacks these bytes at its front. */
  | { readonly kind: 'header-stripping'; readonly header: Buffer }
  /** zlib, bzlib, LZO, encryption or several at once: the frames cannot be used as they are. */
  | { readonly kind: 'other' };

/** One entry of Tracks. */
export interface Track {
  /** What blocks call it. */
  readonly number: number;
  readonly type: TrackType;
  /** For example `V_MPEG4/ISO/AVC`. */
  readonly codecId: string;
  readonly codecPrivate?: Buffer;
  readonly name?: string;
  /** As written: ISO 639-2, or BCP 47 where the producer gave that; Matroska's own default is `eng`. */
  readonly language: string;
  /** Nanoseconds of one frame, where the producer says. */
  readonly defaultDurationNs?: number;
  readonly contentEncoding?: ContentEncoding;
  readonly video?: { readonly width: number; readonly height: number };
  readonly audio?: { readonly sampleRate: number; readonly channels: number; readonly bitDepth?: number };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The entries of a Tracks element.
 *
 * @param content what lies in the Tracks element
 * @throws MatroskaError INVALID_MKV_DATA, also for an entry without number, type or codec, or a number given twice
 */
export function parseTracks(content: ElementCursor): Track[] {
  const tracks: Track[] = [];
  const numbers = new Set<number>();
  while (content.next()) {
    if (content.id !== ELEMENT.trackEntry) continue;
    const track = parseEntry(content.children());
    if (numbers.has(track.number)) throw invalid('Two tracks have the same number.');
    numbers.add(track.number);
    tracks.push(track);
  }
  return tracks;
}

function parseEntry(entry: ElementCursor): Track {
  const track: Partial<Mutable<Track>> = {};
  let language = 'eng';
  let bcp47: string | undefined;
  while (entry.next()) {
    switch (entry.id) {
      case ELEMENT.trackNumber:
        track.number = entry.unsigned();
        break;
      case ELEMENT.trackType:
        track.type = typeOf(entry.unsigned());
        break;
      case ELEMENT.codecId:
        track.codecId = entry.text();
        break;
      case ELEMENT.codecPrivate:
        track.codecPrivate = entry.data();
        break;
      case ELEMENT.trackName:
        track.name = entry.text();
        break;
      case ELEMENT.language:
        language = entry.text();
        break;
      case ELEMENT.languageBcp47:
        bcp47 = entry.text();
        break;
      case ELEMENT.defaultDuration:
        track.defaultDurationNs = entry.unsigned();
        break;
      case ELEMENT.contentEncodings:
        track.contentEncoding = parseEncodings(entry.children());
        break;
      case ELEMENT.video:
        track.video = parseVideo(entry.children());
        break;
      case ELEMENT.audio:
        track.audio = parseAudio(entry.children());
        break;
    }
  }
  const { number, type, codecId } = track;
  if (number === undefined || number === 0) throw invalid('A track has no number.');
  if (type === undefined) throw invalid('A track has no type.');
  if (codecId === undefined || codecId === '') throw invalid('A track has no codec.');
  return { ...track, number, type, codecId, language: bcp47 ?? language };
}

function typeOf(value: number): TrackType {
  switch (value) {
    case 1:
      return 'video';
    case 2:
      return 'audio';
    case 17:
      return 'subtitle';
    default:
      return 'other';
  }
}

function parseVideo(fields: ElementCursor): { width: number; height: number } {
  const video = { width: 0, height: 0 };
  while (fields.next()) {
    if (fields.id === ELEMENT.pixelWidth) video.width = fields.unsigned();
    else if (fields.id === ELEMENT.pixelHeight) video.height = fields.unsigned();
  }
  return video;
}

function parseAudio(fields: ElementCursor): { sampleRate: number; channels: number; bitDepth?: number } {
  const audio: { sampleRate: number; channels: number; bitDepth?: number } = { sampleRate: 8000, channels: 1 };
  while (fields.next()) {
    if (fields.id === ELEMENT.samplingFrequency) audio.sampleRate = fields.float();
    else if (fields.id === ELEMENT.channels) audio.channels = fields.unsigned();
    else if (fields.id === ELEMENT.bitDepth) audio.bitDepth = fields.unsigned();
  }
  return audio;
}

const COMPRESSION = 0;
const HEADER_STRIPPING = 3;

function parseEncodings(encodings: ElementCursor): ContentEncoding {
  let found: ContentEncoding | undefined;
  while (encodings.next()) {
    if (encodings.id !== ELEMENT.contentEncoding) continue;
    if (found !== undefined) return { kind: 'other' };
    found = parseEncoding(encodings.children());
  }
  return found ?? { kind: 'other' };
}

function parseEncoding(fields: ElementCursor): ContentEncoding {
  let type = COMPRESSION;
  let algorithm = 0;
  let header: Buffer = Buffer.alloc(0);
  while (fields.next()) {
    if (fields.id === ELEMENT.contentEncodingType) type = fields.unsigned();
    if (fields.id !== ELEMENT.contentCompression) continue;
    const compression = fields.children();
    while (compression.next()) {
      if (compression.id === ELEMENT.contentCompressionAlgorithm) algorithm = compression.unsigned();
      else if (compression.id === ELEMENT.contentCompressionSettings) header = compression.data();
    }
  }
  return type === COMPRESSION && algorithm === HEADER_STRIPPING
    ? { kind: 'header-stripping', header }
    : { kind: 'other' };
}
