import { type BoxSpan, listBoxes } from '../mp4-boxes.ts';
import { box, fullBox, text, u8, u16, u32 } from '../mp4/box.ts';
import { PATTERN } from './sample-cipher.ts';

export type Scheme = 'cenc' | 'cbcs';

export interface InitFacts {
  readonly scheme: Scheme;
  readonly isVideo: boolean;
  /** 16 bytes. */
  readonly keyId: Uint8Array;
  /** 16 bytes, with `cbcs`. */
  readonly iv?: Uint8Array;
}

/** The boxes on the way to the sample entries. */
const WAY: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
const SCHEME_VERSION = 0x1_0000;

/**
 * Makes the description of encrypted tracks (`moov`) from that of the clear ones (ISO/IEC 23001-7, 4 and 8): sample
 * entries say what they were, how they are encrypted and with which key; `pssh` boxes stand at the end.
 *
 * @param tracks in their order
 */
export function protectedInit(moov: Buffer, tracks: readonly InitFacts[], psshs: readonly Uint8Array[]): Buffer {
  const [root] = listBoxes(moov);
  if (root === undefined) throw new RangeError('There is no description of tracks.');
  let track = 0;
  const children = listBoxes(moov, root.body, root.end).map((child) => {
    const facts = child.type === 'trak' ? tracks[track++] : undefined;
    return facts === undefined ? moov.subarray(child.start, child.end) : rebuild(moov, child, facts);
  });
  return box('moov', ...children, ...psshs);
}

function rebuild(bytes: Buffer, span: BoxSpan, facts: InitFacts): Buffer {
  if (WAY.has(span.type)) {
    return box(span.type, ...listBoxes(bytes, span.body, span.end).map((child) => rebuild(bytes, child, facts)));
  }
  if (span.type !== 'stsd') return bytes.subarray(span.start, span.end);
  const head = bytes.subarray(span.body, span.body + 8);
  const entries = listBoxes(bytes, span.body + 8, span.end).map((entry) =>
    box(
      facts.isVideo ? 'encv' : 'enca',
      bytes.subarray(entry.body, entry.end),
      box(
        'sinf',
        box('frma', text(entry.type)),
        fullBox('schm', 0, 0, text(facts.scheme), u32(SCHEME_VERSION)),
        box('schi', trackEncryption(facts)),
      ),
    ),
  );
  return box('stsd', head, ...entries);
}

/** `tenc`: of sound, `cbcs` encrypts all whole blocks, which it says by a pattern of nothing. */
function trackEncryption({ scheme, isVideo, keyId, iv }: InitFacts): Buffer {
  if (scheme === 'cenc') return fullBox('tenc', 0, 0, u8(0, 0, 1, 8), keyId);
  if (iv === undefined) throw new RangeError('A scheme with a constant vector needs one.');
  const pattern = isVideo ? (PATTERN.encrypted << 4) | PATTERN.skipped : 0;
  return fullBox('tenc', 1, 0, u8(0, pattern, 1, 0), keyId, u8(iv.length), iv);
}

/** The W3C's `pssh` box, which lists key ids and nothing else. */
export function commonPssh(keyId: Uint8Array): Buffer {
  const system = Buffer.from('1077efecc0b24d02ace33c1e52e2fb4b', 'hex');
  return fullBox('pssh', 1, 0, system, u32(1), keyId, u32(0));
}

/** Where an entry's own boxes begin, behind the fields of all pictures. */
const VISUAL_FIELDS = 78;

/** The configuration record (`avcC`, `hvcC`) of a track's first sample entry. */
export function configurationOf(init: Buffer, track: number): Buffer | undefined {
  const find = (start: number, end: number): Buffer | undefined => {
    for (const span of listBoxes(init, start, end)) {
      if (WAY.has(span.type)) {
        const found = find(span.body, span.end);
        if (found !== undefined) return found;
      }
      if (span.type !== 'stsd') continue;
      const [entry] = listBoxes(init, span.body + 8, span.end);
      if (entry === undefined) return undefined;
      const boxes = listBoxes(init, entry.body + VISUAL_FIELDS, entry.end);
      const found = boxes.find(({ type }) => type === 'avcC' || type === 'hvcC');
      return found && init.subarray(found.body, found.end);
    }
    return undefined;
  };
  const [moov] = listBoxes(init);
  const traks = moov === undefined ? [] : listBoxes(init, moov.body, moov.end).filter(({ type }) => type === 'trak');
  const trak = traks[track];
  return trak && find(trak.body, trak.end);
}

/** Marks all samples of a fragment as not encrypted, against what the track says of them: `seig` sample groups. */
export function clearSampleGroups(samples: number): Buffer {
  const SEIG = text('seig');
  const LENGTH = 20;
  // Descriptions of the fragment itself are counted from here.
  const FIRST_OF_FRAGMENT = 0x1_0001;
  return Buffer.concat([
    fullBox('sgpd', 1, 0, SEIG, u32(LENGTH, 1), u8(0, 0, 0, 0), Buffer.alloc(16)),
    fullBox('sbgp', 0, 0, SEIG, u32(1, samples, FIRST_OF_FRAGMENT)),
  ]);
}

/** Which box of the Protected Interoperable File Format it is that says the same as `senc`. */
const PIFF_SAMPLES = Buffer.from('a2394f525a9b4f14a2446c427c648df4', 'hex');

/** As Smooth Streaming's players look for it ([MS-SSTR] 2.2.4.5); others pass it over. */
export function piffSamples(entries: readonly Buffer[], hasPieces: boolean): Buffer {
  return box('uuid', PIFF_SAMPLES, u32(hasPieces ? 2 : 0, entries.length), ...entries);
}

/** Where the vectors and pieces of samples stand: `saiz`, `saio`, `senc`, in this order. */
export function sampleAuxiliary(entries: readonly Buffer[], hasPieces: boolean, offset: number): Buffer {
  const [first] = entries;
  const isEven = entries.every(({ length }) => length === first?.length);
  const sizes = isEven ? [u8(first?.length ?? 0), u32(entries.length)] : [u8(0), u32(entries.length), sizesOf(entries)];
  const saiz = fullBox('saiz', 0, 0, ...sizes);
  const SAIO_LENGTH = 20;
  const SENC_HEAD = 16;
  const saio = fullBox('saio', 0, 0, u32(1, offset + saiz.length + SAIO_LENGTH + SENC_HEAD));
  return Buffer.concat([saiz, saio, fullBox('senc', 0, hasPieces ? 2 : 0, u32(entries.length), ...entries)]);
}

/** @throws RangeError for a sample of more pieces than the box can hold */
function sizesOf(entries: readonly Buffer[]): Buffer {
  if (entries.some(({ length }) => length > 255)) throw new RangeError('A picture has too many slices.');
  return Buffer.from(entries.map(({ length }) => length));
}

/** What `senc` says of a sample. */
export function sampleEntry(
  iv: Buffer | undefined,
  pieces: readonly { readonly clear: number; readonly encrypted: number }[] | undefined,
): Buffer {
  const list = pieces?.flatMap(({ clear, encrypted }) => [u16(clear), u32(encrypted)]) ?? [];
  return Buffer.concat([
    ...(iv === undefined ? [] : [iv]),
    ...(pieces === undefined ? [] : [u16(pieces.length)]),
    ...list,
  ]);
}
