import type { Segment } from './hls-manifest.ts';
import { type PartSink, ObjectWriter } from './object-writer.ts';
import type { SegmentWriter } from './hls-protection.ts';

interface SeriesFacts {
  readonly sink: PartSink;
  /** The folder of the manifest, with the slash at its end; names are told from there. */
  readonly folder: string;
  /** The key of a segment, by its number from 1; of all of them, where they are in one file. */
  readonly segmentKey: (number: number) => string;
  readonly contentType: string;
  readonly isSingleFile: boolean;
  /** A last segment of fewer seconds becomes part of the one before. */
  readonly minFinalSeconds?: number;
  /** Puts something before a segment's bytes, such as a cipher. */
  readonly wrap?: (writer: SegmentWriter, number: number) => SegmentWriter;
}

/** The segments of one rendition, each an object or a part of one, and what was written of them. */
export class SegmentSeries {
  readonly segments: Segment[] = [];
  readonly #facts: SeriesFacts;
  #single: { readonly key: string; readonly writer: ObjectWriter } | undefined;
  #open: { readonly key: string; readonly writer: SegmentWriter; readonly offset: number } | undefined;
  #start = 0;
  /** The end of the open segment, and what came behind it while that may still become part of it. */
  #pending: { readonly time: number; readonly pieces: Buffer[] } | undefined;

  constructor(facts: SeriesFacts) {
    this.#facts = facts;
  }

  /** The number of the segment that is being written, or comes next. */
  get number(): number {
    return this.segments.length + (this.#pending === undefined ? 1 : 2);
  }

  get isOpen(): boolean {
    return this.#pending === undefined ? this.#open !== undefined : this.#pending.pieces.length > 0;
  }

  /** When the segment that is being written begins, in seconds. */
  get start(): number {
    return this.#pending?.time ?? this.#start;
  }

  /** The object that is being written to, as manifests name it, and how many bytes it has. */
  get place(): { readonly name: string; readonly position: number } {
    const open = this.#open;
    if (open === undefined) return { name: '', position: this.#single?.writer.length ?? 0 };
    return { name: this.#nameOf(open.key), position: open.offset + open.writer.length };
  }

  write(bytes: Uint8Array): void {
    if (this.#pending !== undefined) {
      this.#pending.pieces.push(Buffer.from(bytes));
      return;
    }
    this.#open ??= this.#begin();
    this.#open.writer.write(bytes);
  }

  /** Says how far the stream has come, in seconds. */
  advance(time: number): void {
    if (this.#pending !== undefined && time - this.#pending.time >= this.#least - 1e-6) this.#settle();
  }

  /** @param time the segment's end in seconds; there may be another behind it */
  close(time: number): void {
    this.#settle();
    if (this.#least === 0) this.#end(time);
    else if (this.#open !== undefined) this.#pending = { time, pieces: [] };
  }

  get #least(): number {
    return this.#facts.minFinalSeconds ?? 0;
  }

  /** What waited becomes a segment of its own. */
  #settle(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#end(pending.time);
    this.#release();
  }

  #release(): void {
    const pieces = this.#pending?.pieces ?? [];
    this.#pending = undefined;
    for (const piece of pieces) this.write(piece);
  }

  #end(time: number): void {
    const open = this.#open;
    if (open === undefined) return;
    open.writer.end();
    this.segments.push({
      name: this.#nameOf(open.key),
      duration: Math.max(0, time - this.#start),
      bytes: open.writer.length,
      ...(this.#facts.isSingleFile && { offset: open.offset }),
    });
    this.#open = undefined;
    this.#start = time;
  }

  /** @param time the stream's end in seconds */
  finish(time: number): void {
    this.advance(time);
    this.#release();
    this.#end(time);
    this.#single?.writer.end();
  }

  #begin() {
    const { isSingleFile, wrap } = this.#facts;
    const number = this.segments.length + 1;
    const key = this.#single?.key ?? this.#facts.segmentKey(number);
    const object = isSingleFile ? this.#part(key) : { writer: this.#object(key), offset: 0 };
    return { key, offset: object.offset, writer: wrap?.(object.writer, number) ?? object.writer };
  }

  #object(key: string): ObjectWriter {
    const { sink, contentType } = this.#facts;
    return new ObjectWriter(sink, { key, contentType });
  }

  #part(key: string): { readonly writer: SegmentWriter; readonly offset: number } {
    this.#single ??= { key, writer: this.#object(key) };
    const { writer } = this.#single;
    const offset = writer.length;
    const part = {
      get length() {
        return writer.length - offset;
      },
      write: (bytes: Uint8Array) => writer.write(bytes),
      end: () => undefined,
    };
    return { writer: part, offset };
  }

  #nameOf(key: string): string {
    return key.slice(this.#facts.folder.length);
  }
}
