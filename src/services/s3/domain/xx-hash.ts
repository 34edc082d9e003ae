import { createRequire } from 'node:module';
import type { IHasher } from 'hash-wasm';

/** The members of the xxHash family that S3 knows, by its names. */
export type XxHashName = 'XXHASH64' | 'XXHASH3' | 'XXHASH128';

type HashWasm = typeof import('hash-wasm');

// Each file of the package has one algorithm; its main file has thirty, and would be compiled at every start.
const require = createRequire(import.meta.url);
const load = (file: string): HashWasm => require(`hash-wasm/dist/${file}.umd.min.js`) as HashWasm;

/** One engine for each algorithm, with seed 0: those that use it bring their states along. */
const ENGINES: Readonly<Record<XxHashName, IHasher>> = {
  XXHASH64: await load('xxhash64').createXXHash64(),
  XXHASH3: await load('xxhash3').createXXHash3(),
  XXHASH128: await load('xxhash128').createXXHash128(),
};

/** A running xxHash: under a kilobyte of state, wherever it stands. */
export class XxHash {
  readonly #engine: IHasher;
  #state: Uint8Array;

  constructor(name: XxHashName) {
    this.#engine = ENGINES[name];
    this.#state = this.#engine.init().save();
  }

  update(chunk: Uint8Array): void {
    this.#engine.load(this.#state);
    this.#state = this.#engine.update(chunk).save();
  }

  /** The value in the byte order that xxHash calls canonical (big end first), in base64. */
  digest(): string {
    this.#engine.load(this.#state);
    return Buffer.from(this.#engine.digest('binary')).toString('base64');
  }
}
