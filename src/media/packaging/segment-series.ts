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

  constructor(facts: SeriesFacts) {
    this.#facts = facts;
  }

  /** The number of the segment that is being written, or comes next. */
  get number(): number {
    return this.segments.length + 1;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** When the segment that is being written begins, in seconds. */
  get start(): number {
    return this.#start;
  }

  /** The object that is being written to, as manifests name it, and how many bytes it has. */
  get place(): { readonly name: string; readonly position: number } {
    const open = this.#open;
    if (open === undefined) return { name: '', position: this.#single?.writer.length ?? 0 };
    return { name: this.#nameOf(open.key), position: open.offset + open.writer.length };
  }

  write(bytes: Uint8Array): void {
    this.#open ??= this.#begin();
    this.#open.writer.write(bytes);
  }

  /** @param time the segment's end in seconds */
  close(time: number): void {
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

  finish(): void {
    this.#single?.writer.end();
  }

  #begin() {
    const { isSingleFile, wrap } = this.#facts;
    const key = this.#single?.key ?? this.#facts.segmentKey(this.number);
    const object = isSingleFile ? this.#part(key) : { writer: this.#object(key), offset: 0 };
    return { key, offset: object.offset, writer: wrap?.(object.writer, this.number) ?? object.writer };
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
