import { gunzipSync } from 'node:zlib';

/**
 * Checks an HLS presentation against RFC 8216 (and Apple's tags for pictures of trick play): that every address is an
 * object, ranges lie within their files and segments in a row, durations keep to the target, what the main manifest says of
 * renditions is so.
 */

/** An object's bytes by its key; rejects where there is none. */
type Read = (key: string) => Promise<Buffer>;

interface Entry {
  readonly tags: readonly { readonly name: string; readonly value: string }[];
  readonly uri?: string;
}

export interface MediaPlaylist {
  readonly key: string;
  readonly kind: 'media' | 'i-frames' | 'images';
  readonly segments: readonly PlaylistSegment[];
  readonly targetSeconds: number;
  readonly version: number;
  readonly seconds: number;
}

interface PlaylistSegment {
  readonly key: string;
  readonly seconds: number;
  readonly range?: { readonly offset: number; readonly length: number };
  readonly date?: number;
  readonly keyTag?: string;
}

export interface HlsReport {
  /** What is wrong; empty where nothing is. */
  readonly faults: readonly string[];
  readonly playlists: readonly MediaPlaylist[];
}

/** @param key of the main manifest */
export async function validateHls(read: Read, key: string): Promise<HlsReport> {
  const validator = new Validator(read);
  await validator.main(key);
  return { faults: validator.faults, playlists: validator.playlists };
}

class Validator {
  readonly faults: string[] = [];
  readonly playlists: MediaPlaylist[] = [];
  readonly #read: Read;
  readonly #objects = new Map<string, Promise<Buffer | undefined>>();

  constructor(read: Read) {
    this.#read = read;
  }

  async main(key: string): Promise<void> {
    const entries = await this.#playlist(key);
    if (entries === undefined) return;
    const groups = new Map<string, { names: Set<string>; defaults: number }>();
    let variants = 0;
    for (const { tags, uri } of entries) {
      for (const { name, value } of tags) {
        const attributes = attributesOf(value);
        const target = attributes.get('URI');
        if (name === 'EXT-X-MEDIA') {
          this.#media(key, groups, attributes);
          if (target !== undefined) await this.#child(key, target, 'media', undefined);
          else if (attributes.get('TYPE') !== 'CLOSED-CAPTIONS') this.#fault(key, 'a rendition without URI');
        }
        if (name === 'EXT-X-I-FRAME-STREAM-INF') await this.#child(key, target, 'i-frames', attributes);
        if (name === 'EXT-X-IMAGE-STREAM-INF') await this.#child(key, target, 'images', attributes);
        if (name === 'EXT-X-STREAM-INF') {
          variants += 1;
          this.#references(key, groups, attributes);
          await this.#child(key, uri, 'media', attributes);
        }
      }
    }
    if (variants === 0) this.#fault(key, 'no variant stream');
  }

  #media(
    key: string,
    groups: Map<string, { names: Set<string>; defaults: number }>,
    attributes: ReadonlyMap<string, string>,
  ): void {
    const id = `${attributes.get('TYPE')} ${attributes.get('GROUP-ID')}`;
    const group = groups.get(id) ?? { names: new Set<string>(), defaults: 0 };
    groups.set(id, group);
    const name = attributes.get('NAME') ?? '';
    if (name === '') this.#fault(key, `${id}: a rendition without a name`);
    if (group.names.has(name)) this.#fault(key, `${id}: two renditions are called ${name}`);
    group.names.add(name);
    if (attributes.get('DEFAULT') !== 'YES') return;
    group.defaults += 1;
    if (group.defaults > 1) this.#fault(key, `${id}: more than one default`);
    if (attributes.get('AUTOSELECT') === 'NO') this.#fault(key, `${id}: a default that is not selected`);
  }

  #references(key: string, groups: ReadonlyMap<string, unknown>, attributes: ReadonlyMap<string, string>): void {
    for (const type of ['AUDIO', 'SUBTITLES', 'VIDEO']) {
      const id = attributes.get(type);
      if (id !== undefined && !groups.has(`${type} ${id}`)) this.#fault(key, `there is no ${type} group ${id}`);
    }
  }

  /** @param stream what the main manifest says of a stream; absent for renditions */
  async #child(
    main: string,
    uri: string | undefined,
    kind: MediaPlaylist['kind'],
    stream: ReadonlyMap<string, string> | undefined,
  ): Promise<void> {
    if (uri === undefined) {
      this.#fault(main, 'a stream without an address');
      return;
    }
    const key = resolve(main, uri);
    const known = this.playlists.find((playlist) => playlist.key === key);
    const playlist = known ?? (await this.#mediaPlaylist(key, kind));
    if (playlist === undefined) return;
    if (known === undefined) this.playlists.push(playlist);
    if (stream === undefined) return;
    const bandwidth = Number(stream.get('BANDWIDTH'));
    if (!(bandwidth > 0)) this.#fault(main, `${uri}: no BANDWIDTH`);
    if (kind !== 'images' && !/^[\w.,-]+$/.test(stream.get('CODECS') ?? '')) this.#fault(main, `${uri}: no CODECS`);
    const peak = await this.#peak(playlist);
    if (bandwidth < peak * 0.999) this.#fault(main, `${uri}: BANDWIDTH ${bandwidth} is less than ${peak}`);
    if (Number(stream.get('AVERAGE-BANDWIDTH') ?? 0) > bandwidth) this.#fault(main, `${uri}: the average is the most`);
  }

  async #mediaPlaylist(key: string, kind: MediaPlaylist['kind']): Promise<MediaPlaylist | undefined> {
    const entries = await this.#playlist(key);
    if (entries === undefined) return undefined;
    const all = entries.flatMap(({ tags }) => tags);
    const one = (name: string): string | undefined => {
      const found = all.filter((tag) => tag.name === name);
      if (found.length > 1) this.#fault(key, `${name} more than once`);
      return found[0]?.value;
    };
    const targetSeconds = Number(one('EXT-X-TARGETDURATION'));
    const version = Number(one('EXT-X-VERSION') ?? 1);
    if (!Number.isInteger(targetSeconds) || targetSeconds < 1) this.#fault(key, 'no target duration');
    if (!Number.isInteger(Number(one('EXT-X-MEDIA-SEQUENCE') ?? 0))) this.#fault(key, 'no sequence number');
    if (one('EXT-X-PLAYLIST-TYPE') !== 'VOD') this.#fault(key, 'not on demand');
    if (entries.at(-1)?.tags.at(-1)?.name !== 'EXT-X-ENDLIST') this.#fault(key, 'no end');
    if ((one('EXT-X-I-FRAMES-ONLY') !== undefined) !== (kind === 'i-frames')) this.#fault(key, 'not what it is called');
    if ((one('EXT-X-IMAGES-ONLY') !== undefined) !== (kind === 'images')) this.#fault(key, 'not what it is called');
    const segments = await this.#segments(key, kind, entries, targetSeconds, version);
    if (segments.length === 0) this.#fault(key, 'no segments');
    const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0);
    return { key, kind, segments, targetSeconds, version, seconds };
  }

  async #segments(
    key: string,
    kind: MediaPlaylist['kind'],
    entries: readonly Entry[],
    target: number,
    version: number,
  ): Promise<PlaylistSegment[]> {
    const segments: PlaylistSegment[] = [];
    let keyTag: string | undefined;
    let map: string | undefined;
    let tiles = '';
    for (const { tags, uri } of entries) {
      let seconds: number | undefined;
      let range: PlaylistSegment['range'];
      let date: number | undefined;
      for (const { name, value } of tags) {
        if (name === 'EXTINF') {
          seconds = Number(value.split(',')[0]);
          if (version < 3 && !Number.isInteger(seconds)) this.#fault(key, 'fractions need version 3');
        }
        if (name === 'EXT-X-BYTERANGE') range = this.#range(key, value, version, segments, uri);
        if (name === 'EXT-X-KEY') keyTag = this.#keyTag(key, value, version);
        if (name === 'EXT-X-MAP') map = await this.#map(key, value, version);
        if (name === 'EXT-X-PROGRAM-DATE-TIME') date = Date.parse(value);
        if (name === 'EXT-X-TILES') tiles = value;
      }
      if (uri === undefined) continue;
      const at = `segment ${segments.length + 1}`;
      if (seconds === undefined || !(seconds >= 0)) this.#fault(key, `${at}: no duration`);
      else if (Math.round(seconds) > target) this.#fault(key, `${at}: ${seconds} s with a target of ${target}`);
      if (date !== undefined && Number.isNaN(date)) this.#fault(key, `${at}: no date`);
      const segment = {
        key: resolve(key, uri),
        seconds: seconds ?? 0,
        ...(range !== undefined && { range }),
        ...(date !== undefined && { date }),
        ...(keyTag !== undefined && { keyTag }),
      };
      segments.push(segment);
      const isClear = keyTag === undefined || !keyTag.includes('METHOD=AES-128');
      await this.#content(key, at, segment, { kind, isFragmented: map !== undefined, isClear, tiles });
    }
    return segments;
  }

  /** The bytes begin as those of their kind do. */
  async #content(
    playlist: string,
    at: string,
    segment: PlaylistSegment,
    facts: {
      readonly kind: MediaPlaylist['kind'];
      readonly isFragmented: boolean;
      readonly isClear: boolean;
      readonly tiles: string;
    },
  ): Promise<void> {
    const whole = await this.#object(playlist, segment.key);
    if (whole === undefined) return;
    const { range } = segment;
    if (range !== undefined && range.offset + range.length > whole.length) {
      this.#fault(playlist, `${at}: ${range.offset}+${range.length} of ${whole.length} bytes`);
      return;
    }
    const bytes = range === undefined ? whole : whole.subarray(range.offset, range.offset + range.length);
    if (bytes.length === 0) this.#fault(playlist, `${at}: empty`);
    if (facts.kind === 'images') {
      if (bytes.readUInt16BE(0) !== 0xffd8) this.#fault(playlist, `${at}: not a JPEG`);
      if (!/RESOLUTION=\d+x\d+,LAYOUT=\d+x\d+,DURATION=[\d.]+/.test(facts.tiles)) this.#fault(playlist, 'no tiles');
    } else if (facts.isFragmented) {
      const type = bytes.toString('latin1', 4, 8);
      if (!['styp', 'moof', 'emsg', 'sidx', 'prft'].includes(type)) this.#fault(playlist, `${at}: begins with ${type}`);
    } else if (facts.isClear && segment.key.endsWith('.ts')) this.#transport(playlist, at, bytes);
    else if (!facts.isClear && bytes.length % 16 !== 0) this.#fault(playlist, `${at}: not whole blocks`);
  }

  /** Whole packets, of which the first two or three are the program's tables. */
  #transport(playlist: string, at: string, bytes: Buffer): void {
    if (bytes.length % 188 !== 0) this.#fault(playlist, `${at}: not whole packets`);
    const ids: number[] = [];
    for (let place = 0; place < bytes.length; place += 188) {
      if (bytes[place] !== 0x47) {
        this.#fault(playlist, `${at}: no packet at ${place}`);
        return;
      }
      ids.push(bytes.readUInt16BE(place + 1) & 0x1fff);
    }
    if (!ids.slice(0, 3).includes(0)) this.#fault(playlist, `${at}: does not begin with its tables`);
  }

  #range(
    key: string,
    value: string,
    version: number,
    segments: readonly PlaylistSegment[],
    uri: string | undefined,
  ): PlaylistSegment['range'] {
    if (version < 4) this.#fault(key, 'ranges need version 4');
    const [length = '', offset] = value.split('@');
    const before = segments.at(-1);
    if (offset !== undefined) return { length: Number(length), offset: Number(offset) };
    if (before?.range === undefined || uri === undefined || before.key !== resolve(key, uri)) {
      this.#fault(key, 'a range without a beginning');
      return undefined;
    }
    return { length: Number(length), offset: before.range.offset + before.range.length };
  }

  #keyTag(key: string, value: string, version: number): string | undefined {
    const attributes = attributesOf(value);
    const method = attributes.get('METHOD');
    if (method === 'NONE') return undefined;
    if (!['AES-128', 'SAMPLE-AES', 'SAMPLE-AES-CTR'].includes(method ?? '')) this.#fault(key, `method ${method}`);
    if (attributes.get('URI') === undefined) this.#fault(key, 'a key without an address');
    const iv = attributes.get('IV');
    if (iv !== undefined && !/^0x[0-9a-f]{32}$/i.test(iv)) this.#fault(key, `the vector ${iv}`);
    if (attributes.has('KEYFORMAT') && version < 5) this.#fault(key, 'formats of keys need version 5');
    return value;
  }

  async #map(key: string, value: string, version: number): Promise<string> {
    const attributes = attributesOf(value);
    if (version < 5) this.#fault(key, 'EXT-X-MAP needs version 5');
    const uri = attributes.get('URI') ?? '';
    const bytes = await this.#object(key, resolve(key, uri));
    const [length = '0', offset = '0'] = (attributes.get('BYTERANGE') ?? `${bytes?.length ?? 0}@0`).split('@');
    if (bytes !== undefined && Number(offset) + Number(length) > bytes.length) this.#fault(key, 'the map is cut off');
    if (bytes?.toString('latin1', Number(offset) + 4, Number(offset) + 8) !== 'ftyp') this.#fault(key, 'no ftyp');
    return uri;
  }

  async #peak({ segments, targetSeconds }: MediaPlaylist): Promise<number> {
    let peak = 0;
    for (const segment of segments) {
      const bytes = segment.range?.length ?? (await this.#objects.get(segment.key))?.length ?? 0;
      // RFC 8216, 4.3.4.2: segments from half to one and a half of the target duration.
      if (segment.seconds >= targetSeconds / 2) peak = Math.max(peak, (bytes * 8) / Math.max(segment.seconds, 1));
    }
    return peak;
  }

  async #playlist(key: string): Promise<Entry[] | undefined> {
    const bytes = await this.#object(key, key);
    if (bytes === undefined) return undefined;
    const text = (bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes).toString();
    const lines = text.split(/\r?\n/).filter((line) => line !== '');
    if (lines[0] !== '#EXTM3U') this.#fault(key, 'does not begin with #EXTM3U');
    const entries: Entry[] = [];
    let tags: { name: string; value: string }[] = [];
    for (const line of lines.slice(1)) {
      if (!line.startsWith('#')) {
        entries.push({ tags, uri: line });
        tags = [];
      } else if (line.startsWith('#EXT')) {
        const colon = line.indexOf(':');
        tags.push(
          colon < 0 ? { name: line.slice(1), value: '' } : { name: line.slice(1, colon), value: line.slice(colon + 1) },
        );
      }
    }
    if (tags.length > 0) entries.push({ tags });
    return entries;
  }

  async #object(playlist: string, key: string): Promise<Buffer | undefined> {
    const known =
      this.#objects.get(key) ??
      this.#read(key).catch(() => {
        this.#fault(playlist, `there is no ${key}`);
        return undefined;
      });
    this.#objects.set(key, known);
    return known;
  }

  #fault(key: string, text: string): void {
    this.faults.push(`${key}: ${text}`);
  }
}

function attributesOf(list: string): Map<string, string> {
  const found = list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g);
  return new Map([...found].map(([, name = '', value = '']) => [name, value.replace(/^"|"$/g, '')]));
}

function resolve(from: string, uri: string): string {
  return decodeURIComponent(new URL(uri, new URL(`http://bucket/${encodeURI(from)}`)).pathname.slice(1));
}
