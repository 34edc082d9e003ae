/** Where finished parts of objects go. The implementation blocks while too much waits for upload. */
export interface PartSink {
  /** Announces an object; returns the number by which the other calls name it. */
  open(target: {
    readonly key: string;
    readonly contentType: string;
    readonly contentEncoding?: 'gzip';
    readonly isManifest?: boolean;
  }): number;
  /** Takes the bytes over: the caller must not touch them again. Parts are numbered from 1 and may come in any order. */
  part(object: number, part: number, bytes: Uint8Array<ArrayBuffer>): void;
  end(object: number, parts: number): void;
  /** Memory of a length for a part; it may hold other bytes. Absent: fresh memory will do. */
  memory?(length: number): Uint8Array<ArrayBuffer>;
}

/** S3 wants at least 5 MiB in every part but the last. */
const FIRST_PART_SIZE = 8 * 1024 * 1024;
/** After so many parts an object counts as large: each of its parts is a file, a commit and a record of its own. */
const SMALL_PARTS = 8;
const PARTS_PER_SIZE = 1000;

/** The size of a part, doubling every thousand, so that ten thousand parts reach S3's largest object. */
export function partSize(part: number): number {
  const doublings = Math.floor((part - 1) / PARTS_PER_SIZE);
  return FIRST_PART_SIZE * 2 ** (part > SMALL_PARTS ? Math.max(1, doublings) : 0);
}

const SMALLEST_BUFFER = 256 * 1024;

/** The next part of an object that has filled one already: it will probably fill this one, too. */
export function nextPartBuffer(sink: PartSink, part: number): PartBuffer {
  const size = partSize(part);
  return new PartBuffer(size, sink.memory?.(size) ?? new Uint8Array(size));
}

/** Collects small writes into one growing buffer of a bounded size. */
export class PartBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #limit: number;

  /** @param memory to begin with, at most `limit` bytes; what is in it does not matter */
  constructor(limit: number, memory = new Uint8Array(Math.min(limit, SMALLEST_BUFFER))) {
    this.#limit = limit;
    this.#bytes = memory;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length >= this.#limit;
  }

  /** Takes as many of `bytes` as fit; returns how many. */
  append(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#limit - this.#length);
    this.#reserve(this.#length + count);
    this.#bytes.set(bytes.subarray(0, count), this.#length);
    this.#length += count;
    return count;
  }

  /** Overwrites bytes that are already there. */
  patch(offset: number, bytes: Uint8Array): void {
    if (offset < 0 || offset + bytes.length > this.#length) throw new RangeError('A patch must stay inside the part.');
    this.#bytes.set(bytes, offset);
  }

  /** The collected bytes as they are, until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The collected bytes, in a buffer of exactly their length. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(length, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Writes one object from front to end. */
export class ObjectWriter {
  readonly #sink: PartSink;
  readonly #object: number;
  #part = 1;
  #buffer = new PartBuffer(partSize(1));
  #written = 0;

  constructor(sink: PartSink, target: Parameters<PartSink['open']>[0]) {
    this.#sink = sink;
    this.#object = sink.open(target);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#written;
  }

  write(bytes: Uint8Array): void {
    this.#written += bytes.length;
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#buffer.isFull) {
        this.#sink.part(this.#object, this.#part, this.#buffer.take());
        this.#part += 1;
        this.#buffer = nextPartBuffer(this.#sink, this.#part);
      }
      rest = rest.subarray(this.#buffer.append(rest));
    }
  }

  end(): void {
    this.#sink.part(this.#object, this.#part, this.#buffer.take());
    this.#sink.end(this.#object, this.#part);
  }
}
