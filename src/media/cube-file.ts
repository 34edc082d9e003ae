/** As much as the service takes. */
export const LARGEST_CUBE = 8 * 1024 * 1024;
const MOST_POINTS = 129;

/** A table of colours: red, green and blue of each point, red varying fastest. */
export interface CubeTable {
  /** Points along each side. */
  readonly size: number;
  /** What the first and the last point of each side stand for. */
  readonly minimum: readonly [number, number, number];
  readonly maximum: readonly [number, number, number];
  readonly values: Float32Array;
}

/** A file that is no table of three dimensions. */
export class CubeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CubeError';
  }
}

/**
 * Reads a `.cube` file. Source: Adobe, "Cube LUT Specification", version 1.0.
 *
 * @throws CubeError
 */
export function readCube(bytes: Buffer): CubeTable {
  let size: number | undefined;
  let minimum: [number, number, number] = [0, 0, 0];
  let maximum: [number, number, number] = [1, 1, 1];
  let values: Float32Array | undefined;
  let at = 0;
  for (const line of bytes.toString('latin1').split(/\r\n|[\r\n]/)) {
    const words = line.trim().split(/\s+/);
    const [first = ''] = words;
    if (first === '' || first.startsWith('#') || first === 'TITLE') continue;
    if (first === 'LUT_3D_SIZE') {
      size = sideOf(words[1]);
      values = new Float32Array(size ** 3 * 3);
    } else if (first === 'DOMAIN_MIN') minimum = numbersOf(words.slice(1));
    else if (first === 'DOMAIN_MAX') maximum = numbersOf(words.slice(1));
    else if (/^[A-Z_]/.test(first)) throw new CubeError(`The line ${first.slice(0, 40)} is not understood`);
    else {
      if (values === undefined || at + 3 > values.length) throw new CubeError('The table has more lines than its size');
      values.set(numbersOf(words), at);
      at += 3;
    }
  }
  if (size === undefined || values === undefined) throw new CubeError('The table does not say LUT_3D_SIZE');
  if (at !== values.length) throw new CubeError('The table has fewer lines than its size');
  if (minimum.some((low, channel) => low >= (maximum[channel] ?? 0))) throw new CubeError('The domain is empty');
  return { size, minimum, maximum, values };
}

function sideOf(word = ''): number {
  const size = Number(word);
  if (Number.isInteger(size) && size >= 2 && size <= MOST_POINTS) return size;
  throw new CubeError(`LUT_3D_SIZE should be from 2 to ${MOST_POINTS}`);
}

function numbersOf(words: readonly string[]): [number, number, number] {
  const [red = Number.NaN, green = Number.NaN, blue = Number.NaN] = words.map(Number);
  if (words.length === 3 && [red, green, blue].every(Number.isFinite)) return [red, green, blue];
  throw new CubeError('A line does not have three numbers');
}

/** The colour for a red, green and blue from 0 to 1, between the points. */
export function colorAt(table: CubeTable, red: number, green: number, blue: number): [number, number, number] {
  const { size, minimum, maximum, values } = table;
  const cells = [red, green, blue].map((value, channel) => {
    const [low = 0, high = 1] = [minimum[channel], maximum[channel]];
    const place = Math.min(1, Math.max(0, (value - low) / (high - low))) * (size - 1);
    const cell = Math.min(size - 2, Math.floor(place));
    return { cell, part: place - cell };
  });
  const [r = cells[0], g = cells[1], b = cells[2]] = cells;
  const result: [number, number, number] = [0, 0, 0];
  if (r === undefined || g === undefined || b === undefined) return result;
  for (let corner = 0; corner < 8; corner++) {
    const [dr, dg, db] = [corner & 1, (corner >> 1) & 1, corner >> 2];
    const weight = (dr ? r.part : 1 - r.part) * (dg ? g.part : 1 - g.part) * (db ? b.part : 1 - b.part);
    if (weight === 0) continue;
    const at = (((b.cell + db) * size + g.cell + dg) * size + r.cell + dr) * 3;
    for (let channel = 0; channel < 3; channel++) result[channel as 0 | 1 | 2] += weight * (values[at + channel] ?? 0);
  }
  return result;
}
