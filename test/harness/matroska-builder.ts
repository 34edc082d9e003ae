import { ELEMENT } from '#media/matroska/element-ids.ts';
import { OPEN_SEGMENT, type SizeLength, writeElement } from '#media/matroska/matroska-writer.ts';

/** Small Matroska streams for tests, well formed or not, put together element by element. */

/** An element that nothing is known about. */
export const UNKNOWN_ELEMENT = 0x7abc;
export const ENCRYPTED_BLOCK = 0xaf;

export function element(id: number, content: Buffer | readonly Buffer[] = [], sizeLength: SizeLength = 4): Buffer {
  return writeElement(id, Buffer.isBuffer(content) ? [content] : content, sizeLength);
}

export function unsigned(id: number, value: number, bytes = 6): Buffer {
  const content = Buffer.alloc(bytes);
  if (bytes > 0) content.writeUIntBE(value, 0, bytes);
  return element(id, content, 1);
}

export function text(id: number, value: string): Buffer {
  return element(id, Buffer.from(value), 2);
}

export function ebmlHeader(docType = 'matroska'): Buffer {
  return element(ELEMENT.ebml, [unsigned(ELEMENT.ebmlReadVersion, 1, 1), text(ELEMENT.docType, docType)], 1);
}

export function info(timecodeScale = 1_000_000): Buffer {
  return element(ELEMENT.info, unsigned(ELEMENT.timecodeScale, timecodeScale, 4));
}

export interface TrackSpec {
  readonly number: number;
  readonly type?: 'video' | 'audio';
  readonly codecId?: string;
  readonly extra?: readonly Buffer[];
}

function trackEntry({ number, type = 'video', codecId, extra = [] }: TrackSpec): Buffer {
  return element(ELEMENT.trackEntry, [
    unsigned(ELEMENT.trackNumber, number, 1),
    unsigned(ELEMENT.trackType, type === 'video' ? 1 : 2, 1),
    text(ELEMENT.codecId, codecId ?? (type === 'video' ? 'V_MPEG4/ISO/AVC' : 'A_AAC')),
    ...extra,
  ]);
}

export function tracks(...specs: readonly TrackSpec[]): Buffer {
  return element(
    ELEMENT.tracks,
    (specs.length === 0 ? [{ number: 1 }] : specs).map((spec) => trackEntry(spec)),
  );
}

/** What a producer sends before its first Cluster: a Segment of unknown size. */
export function header(...specs: readonly TrackSpec[]): Buffer {
  return Buffer.concat([ebmlHeader(), OPEN_SEGMENT, info(), tracks(...specs)]);
}

export interface BlockSpec {
  readonly track?: number;
  readonly time?: number;
  readonly isKeyframe?: boolean;
  /** 0 none, 1 Xiph, 2 fixed sizes, 3 EBML. */
  readonly lacing?: number;
  readonly payload?: Buffer;
}

export function blockContent({ track = 1, time = 0, isKeyframe, lacing = 0, payload }: BlockSpec): Buffer {
  const head = Buffer.alloc(4);
  head[0] = 0x80 | track;
  head.writeInt16BE(time, 1);
  head[3] = (isKeyframe === true ? 0x80 : 0) | (lacing << 1);
  return Buffer.concat([head, payload ?? Buffer.from('frame')]);
}

export function simpleBlock(spec: BlockSpec = {}): Buffer {
  return element(ELEMENT.simpleBlock, blockContent({ isKeyframe: true, ...spec }), 2);
}

/** A BlockGroup; `references` makes its frame no keyframe. */
export function blockGroup(spec: BlockSpec & { readonly duration?: number; readonly references?: boolean }): Buffer {
  return element(ELEMENT.blockGroup, [
    element(ELEMENT.block, blockContent(spec), 2),
    ...(spec.duration === undefined ? [] : [unsigned(ELEMENT.blockDuration, spec.duration, 2)]),
    ...(spec.references === true ? [element(ELEMENT.referenceBlock, Buffer.from([0xff]), 1)] : []),
  ]);
}

export function timecode(value: number): Buffer {
  return unsigned(ELEMENT.timecode, value);
}

export interface ClusterSpec {
  readonly blocks?: readonly Buffer[];
  /** The bytes of its size, or unknown: 1 or 8 bytes that say so. */
  readonly size?: SizeLength | 'unknown-1' | 'unknown-8';
}

/** A Cluster with a timecode; by default of unknown size, with one block of track 1. */
export function cluster(time: number, { blocks = [simpleBlock()], size = 'unknown-1' }: ClusterSpec = {}): Buffer {
  const content = [timecode(time), ...blocks];
  if (typeof size === 'number') return element(ELEMENT.cluster, content, size);
  const open = size === 'unknown-1' ? 'ff' : '01ffffffffffffff';
  return Buffer.concat([Buffer.from(`1f43b675${open}`, 'hex'), ...content]);
}

/** A producer's Tags element: one SimpleTag, sizes of 8 bytes, as AWS's own SDKs write them. */
export function producerTag(name: string, value = ''): Buffer {
  const simple = [element(ELEMENT.tagName, Buffer.from(name), 8), element(ELEMENT.tagString, Buffer.from(value), 8)];
  return element(ELEMENT.tags, element(ELEMENT.tag, element(ELEMENT.simpleTag, simple, 8), 8), 8);
}

export function endOfFragment(): Buffer {
  return producerTag('AWS_KINESISVIDEO_END_OF_FRAGMENT');
}

export function voidElement(bytes: number): Buffer {
  return element(ELEMENT.void, Buffer.alloc(bytes), 8);
}
