/** What stands where there is nothing, as the key of a request that has none. */
const NONE = '-';

/** Numbers stand to the right, texts to the left. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = heads.map((head, index) =>
    rows.reduce((width, row) => Math.max(width, shown(row[index]).length), head.length),
  );
  const line = (cells: readonly (string | number)[], isNumber: (index: number) => boolean) =>
    `  ${cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return isNumber(index) ? shown(cell).padStart(width) : shown(cell).padEnd(width);
      })
      .join('  ')}`.trimEnd();
  const isNumber = (index: number) => index < 2;
  return [line(heads, isNumber), ...rows.map((row) => line(row, isNumber))];
}

export function shown(cell: string | number | undefined): string {
  return cell === undefined || cell === '' ? NONE : String(cell);
}
