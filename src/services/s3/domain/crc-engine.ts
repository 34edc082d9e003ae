/**
 * Cyclic redundancy checks at memory speed: the usual sixteen-bytes-at-a-time tables, in a WebAssembly function of a
 * hundred instructions, because JavaScript has no 64-bit integers that are fast. One function does every reflected
 * CRC of up to 64 bits.
 */

// Instructions of WebAssembly, by their binary form.
const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (index: number) => [0x20, index],
  set: (index: number) => [0x21, index],
  i32: (value: number) => [0x41, ...signedLeb(value)],
  i64: (value: number) => [0x42, ...signedLeb(value)],
  load64: (offset: number) => [0x29, 0x00, ...unsignedLeb(offset)],
  load8: [0x31, 0x00, 0x00],
  isZero32: [0x45],
  lessU32: [0x49],
  add32: [0x6a],
  sub32: [0x6b],
  and32: [0x71],
  xor64: [0x85],
  shl64: [0x86],
  shrU64: [0x88],
  and64: [0x83],
  wrap: [0xa7],
} as const;

const TABLES = 16;
const TABLE_BYTES = 256 * 8;
const ALL_TABLES_BYTES = TABLES * TABLE_BYTES;
/** Where data is copied for the function to read: after the tables of up to four algorithms. */
const DATA_START = 4 * ALL_TABLES_BYTES;
const DATA_BYTES = 256 * 1024;
const PAGE = 65_536;

// Parameters and locals of the function.
const STATE = 0;
const POINTER = 1;
const LENGTH = 2;
const TABLE = 3;
const LOW = 4;
const HIGH = 5;

/** `table[byte of word]`, added to what is on the stack with XOR by the caller. */
function lookUp(word: number, byte: number, table: number): number[] {
  const shift = byte === 0 ? [...op.i64(3), ...op.shl64] : [...op.i64(8 * byte - 3), ...op.shrU64];
  return [
    ...op.get(word),
    ...shift,
    ...op.wrap,
    ...op.i32(0x7f8),
    ...op.and32,
    ...op.get(TABLE),
    ...op.add32,
    ...op.load64(table * TABLE_BYTES),
  ];
}

function functionBody(): number[] {
  // As a tree, the words that do not wait for the state first: so that as little as can be waits for the state.
  const tree = (first: number, last: number): number[] => {
    if (first === last) return lookUp(first < 8 ? LOW : HIGH, first % 8, 15 - first);
    const middle = first + Math.floor((last - first) / 2);
    return [...tree(first, middle), ...tree(middle + 1, last), ...op.xor64];
  };
  const lookUps = [...tree(8, 15), ...tree(0, 7), ...op.xor64];
  const advance = (count: number): number[] => [
    ...op.get(POINTER),
    ...op.i32(count),
    ...op.add32,
    ...op.set(POINTER),
    ...op.get(LENGTH),
    ...op.i32(count),
    ...op.sub32,
    ...op.set(LENGTH),
  ];
  return [
    0x01,
    0x02,
    0x7e, // two locals of 64 bits
    ...op.block,
    ...op.loop,
    ...op.get(LENGTH),
    ...op.i32(16),
    ...op.lessU32,
    ...op.brIf(1),
    ...op.get(STATE),
    ...op.get(POINTER),
    ...op.load64(0),
    ...op.xor64,
    ...op.set(LOW),
    ...op.get(POINTER),
    ...op.load64(8),
    ...op.set(HIGH),
    ...lookUps,
    ...op.set(STATE),
    ...advance(16),
    ...op.br(0),
    ...op.end,
    ...op.end,
    ...op.block,
    ...op.loop,
    ...op.get(LENGTH),
    ...op.isZero32,
    ...op.brIf(1),
    ...op.get(STATE),
    ...op.get(POINTER),
    ...op.load8,
    ...op.xor64,
    ...op.set(LOW),
    ...lookUp(LOW, 0, 0),
    ...op.get(STATE),
    ...op.i64(8),
    ...op.shrU64,
    ...op.xor64,
    ...op.set(STATE),
    ...advance(1),
    ...op.br(0),
    ...op.end,
    ...op.end,
    ...op.get(STATE),
    ...op.end,
  ];
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const section = (id: number, content: readonly number[]): number[] => [
    id,
    ...unsignedLeb(content.length),
    ...content,
  ];
  const body = functionBody();
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    0x01,
    0x00,
    0x00,
    0x00,
    ...section(1, [0x01, 0x60, 0x04, 0x7e, 0x7f, 0x7f, 0x7f, 0x01, 0x7e]),
    ...section(3, [0x01, 0x00]),
    ...section(5, [0x01, 0x00, ...unsignedLeb(Math.ceil((DATA_START + DATA_BYTES) / PAGE))]),
    ...section(7, [0x02, ...text('m'), 0x02, 0x00, ...text('f'), 0x00, 0x00]),
    ...section(10, [0x01, ...unsignedLeb(body.length), ...body]),
  ]);
}

function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const isDone = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(isDone ? byte : byte | 0x80);
    if (isDone) return bytes;
  }
}

/** What is used of the global of this name, which the compiler's library without a browser does not know. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

type UpdateFunction = (state: bigint, pointer: number, length: number, table: number) => bigint;

interface Engine {
  readonly memory: Uint8Array;
  readonly words: BigUint64Array;
  readonly update: UpdateFunction;
}

let engine: Engine | undefined;
let algorithms = 0;

function startEngine(): Engine {
  if (engine === undefined) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
    const memory = instance.exports['m'];
    if (!(memory instanceof WebAssembly.Memory)) throw new TypeError('The CRC module has no memory.');
    engine = {
      memory: new Uint8Array(memory.buffer),
      words: new BigUint64Array(memory.buffer),
      update: instance.exports['f'] as UpdateFunction,
    };
  }
  return engine;
}

/** One CRC: reflected, all ones before and after, as all of S3's are. */
export class CrcAlgorithm {
  readonly bits: 32 | 64;
  readonly #polynomial: bigint;
  readonly #ones: bigint;
  #tables: number | undefined;

  /** @param polynomial in reflected form */
  constructor(bits: 32 | 64, polynomial: bigint) {
    this.bits = bits;
    this.#polynomial = polynomial;
    this.#ones = (1n << BigInt(bits)) - 1n;
  }

  /** The CRC of `data` after the bytes whose CRC is `crc` (0 for none). */
  update(crc: bigint, data: Uint8Array): bigint {
    const { memory, update } = startEngine();
    this.#tables ??= this.#makeTables();
    let state = crc ^ this.#ones;
    for (let start = 0; start < data.length; start += DATA_BYTES) {
      const part = data.subarray(start, start + DATA_BYTES);
      memory.set(part, DATA_START);
      state = BigInt.asUintN(64, update(state, DATA_START, part.length, this.#tables));
    }
    return state ^ this.#ones;
  }

  /** The CRC of two texts one after the other, from the CRC of each and the length of the second. */
  combine(first: bigint, second: bigint, secondLength: number): bigint {
    // The CRC of the first moves on by as many zero bytes as the second has: times x^(8·length) modulo the polynomial.
    let factor = 1n << BigInt(this.bits - 1);
    let power = this.#multiply(1n << BigInt(this.bits - 2), 1n << BigInt(this.bits - 1));
    for (let i = 0; i < 3; i++) power = this.#multiply(power, power);
    for (let rest = secondLength; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) factor = this.#multiply(factor, power);
      power = this.#multiply(power, power);
    }
    return this.#multiply(factor, first) ^ second;
  }

  /** The product of two polynomials modulo the CRC's; the highest bit is the coefficient of x^0. */
  #multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let shifted = b;
    for (let bit = BigInt(this.bits - 1); bit >= 0n; bit--) {
      if (((a >> bit) & 1n) === 1n) product ^= shifted;
      shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ this.#polynomial : shifted >> 1n;
    }
    return product;
  }

  #makeTables(): number {
    const start = algorithms++ * ALL_TABLES_BYTES;
    if (start >= DATA_START) throw new RangeError('There is no room for another CRC.');
    const { words } = startEngine();
    const first = start / 8;
    for (let byte = 0; byte < 256; byte++) {
      let value = BigInt(byte);
      for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ this.#polynomial : value >> 1n;
      words[first + byte] = value;
    }
    for (let index = 256; index < TABLES * 256; index++) {
      const previous = words[first + index - 256] ?? 0n;
      words[first + index] = (previous >> 8n) ^ (words[first + Number(previous & 0xffn)] ?? 0n);
    }
    return start;
  }
}

export const crc32c = new CrcAlgorithm(32, 0x82f63b78n);
export const crc32 = new CrcAlgorithm(32, 0xedb88320n);
export const crc64Nvme = new CrcAlgorithm(64, 0x9a6c9329ac4bc9b5n);
