import type { Cue, CueLine, CuePlace, TextSpan, TextStyle } from './cue.ts';
import { makeCue } from './cue.ts';

export const ROW_COUNT = 15;
export const COLUMN_COUNT = 32;

interface Cell {
  readonly character: string;
  readonly style: TextStyle;
}

/** One of a decoder's two memories: 15 rows of 32 characters. */
export class Cea608Screen {
  readonly #rows: (Cell | undefined)[][] = Array.from({ length: ROW_COUNT }, () => []);

  get isEmpty(): boolean {
    return this.#rows.every((row) => row.every((cell) => cell === undefined || cell.character === ' '));
  }

  put(row: number, column: number, character: string, style: TextStyle): void {
    const cells = this.#rows[row - 1];
    if (cells !== undefined && column >= 0 && column < COLUMN_COUNT) cells[column] = { character, style };
  }

  erase(row: number, from: number, to = COLUMN_COUNT): void {
    const cells = this.#rows[row - 1];
    for (let column = Math.max(0, from); cells !== undefined && column < to; column++) cells[column] = undefined;
  }

  clear(): void {
    for (const row of this.#rows) row.length = 0;
  }

  /** Moves the rows that end with `base` up by one; the topmost of `count` goes. */
  rollUp(base: number, count: number): void {
    const top = Math.max(1, base - count + 1);
    for (let row = 1; row <= ROW_COUNT; row++) if (row < top || row > base) this.#set(row, []);
    for (let row = top; row < base; row++) this.#set(row, this.#rows[row] ?? []);
    this.#set(base, []);
  }

  /** Brings the window of `count` rows to another base row. */
  moveWindow(from: number, to: number, count: number): void {
    const kept = Array.from({ length: count }, (_, index) => this.#rows[from - 1 - index] ?? []);
    this.clear();
    kept.forEach((row, index) => this.#set(to - index, row));
  }

  #set(row: number, cells: (Cell | undefined)[]): void {
    if (row >= 1 && row <= ROW_COUNT) this.#rows[row - 1] = [...cells];
  }

  /** What is on the screen, as a caption; `undefined` for an empty one. */
  cue(startMs: number, endMs: number): Cue | undefined {
    const shown = this.#rows.flatMap((cells, index) => {
      const column = cells.findIndex((cell) => cell !== undefined && cell.character !== ' ');
      return column < 0 ? [] : [{ row: index + 1, column, line: lineOf(cells) }];
    });
    const [first] = shown;
    const last = shown.at(-1);
    if (first === undefined || last === undefined) return undefined;
    return makeCue(
      startMs,
      endMs,
      shown.map(({ line }) => line),
      placeOf(first.row, last.row, shown),
    );
  }
}

function lineOf(cells: readonly (Cell | undefined)[]): CueLine {
  const spans: TextSpan[] = [];
  for (let column = 0; column < cells.length; column++) {
    const cell = cells[column];
    spans.push({ ...cell?.style, text: cell?.character ?? ' ' });
  }
  return spans;
}

/** The screen is the middle four fifths of the picture (CEA-608, "safe caption area"). */
function placeOf(first: number, last: number, shown: readonly { readonly column: number }[]): CuePlace {
  const percent = (part: number, count: number): number => Math.round((10 + (part * 80) / count) * 100) / 100;
  const column = Math.min(...shown.map((row) => row.column));
  const vertical: CuePlace =
    first <= ROW_COUNT / 2
      ? { line: percent(first - 1, ROW_COUNT) }
      : { line: percent(last, ROW_COUNT), lineAnchor: 'bottom' };
  return { ...vertical, position: percent(column, COLUMN_COUNT), align: 'start' };
}
