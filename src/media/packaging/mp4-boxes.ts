/** A box's place in a buffer: `start` is where its header begins, `body` where its payload does. */
export interface BoxSpan {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * Lists the boxes of `bytes` between `start` and `end`. The last one may reach beyond the buffer (`mdat`, of which only
 * the head is held).
 *
 * @throws RangeError when a box header is broken
 */
export function listBoxes(bytes: Uint8Array, start = 0, end = bytes.length): BoxSpan[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes: BoxSpan[] = [];
  for (let at = start; at + 8 <= end; ) {
    let size = view.getUint32(at);
    let body = at + 8;
    if (size === 1) {
      if (at + 16 > end) throw new RangeError('A box header is cut off.');
      size = Number(view.getBigUint64(at + 8));
      body = at + 16;
    }
    if (size < body - at) throw new RangeError('A box is smaller than its header.');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    boxes.push({ type, start: at, body, end: at + size });
    at += size;
  }
  return boxes;
}

/** The boxes on the way from `moov` to the tables of chunk offsets. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
const MAX_32 = 0xffff_ffff;

interface OffsetTable {
  /** The boxes around the table, outermost first. */
  readonly parents: readonly BoxSpan[];
  readonly box: BoxSpan;
}

/**
 * Moves an index (`moov`) from behind the media data to before it: every chunk offset grows by the index's own size.
 * A 32-bit table (`stco`) whose offsets no longer fit becomes a 64-bit one (`co64`), which makes the index larger and
 * is therefore decided first.
 *
 * @param moov the whole `moov` box, made for the place behind the media data
 * @param bytesBehind what else comes between the index and the media data
 * @returns the box to put directly before what it stood behind
 */
export function moovForFront(moov: Uint8Array, bytesBehind = 0): Uint8Array<ArrayBuffer> {
  const tables = findOffsetTables(moov);
  const widened = new Set<OffsetTable>();
  let size = moov.length;
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const table of tables) {
      if (table.box.type !== 'stco' || widened.has(table)) continue;
      const offsets = readOffsets(moov, table.box);
      if (offsets.every((offset) => offset + size + bytesBehind <= MAX_32)) continue;
      widened.add(table);
      size += offsets.length * 4;
      isSettled = false;
    }
  }
  return rewrite(moov, tables, widened, size, bytesBehind);
}

function rewrite(
  moov: Uint8Array,
  tables: readonly OffsetTable[],
  widened: ReadonlySet<OffsetTable>,
  size: number,
  bytesBehind: number,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  const view = new DataView(result.buffer);
  const source = new DataView(moov.buffer, moov.byteOffset, moov.byteLength);
  const growth = new Map<OffsetTable, number>();
  let from = 0;
  let to = 0;
  for (const table of tables) {
    const isWide = table.box.type === 'co64' || widened.has(table);
    result.set(moov.subarray(from, table.box.start), to);
    to += table.box.start - from;
    const offsets = readOffsets(moov, table.box);
    const length = 16 + offsets.length * (isWide ? 8 : 4);
    view.setUint32(to, length);
    result.set(new TextEncoder().encode(isWide ? 'co64' : 'stco'), to + 4);
    view.setUint32(to + 8, source.getUint32(table.box.body));
    view.setUint32(to + 12, offsets.length);
    offsets.forEach((offset, index) => {
      if (isWide) view.setBigUint64(to + 16 + index * 8, BigInt(offset + size + bytesBehind));
      else view.setUint32(to + 16 + index * 4, offset + size + bytesBehind);
    });
    growth.set(table, length - (table.box.end - table.box.start));
    to += length;
    from = table.box.end;
  }
  result.set(moov.subarray(from), to);
  growBoxes(view, growth);
  return result;
}

/** Adds to each container's size what its tables grew by, at the place to which earlier tables have pushed it. */
function growBoxes(view: DataView, growth: ReadonlyMap<OffsetTable, number>): void {
  const tables = [...growth];
  const parents = new Map(tables.flatMap(([table]) => table.parents.map((parent) => [parent.start, parent] as const)));
  const sum = (isCounted: (box: BoxSpan) => boolean): number =>
    tables.reduce((total, [table, grown]) => (isCounted(table.box) ? total + grown : total), 0);
  for (const parent of parents.values()) {
    const at = parent.start + sum((box) => box.end <= parent.start);
    const grown = sum((box) => box.start >= parent.start && box.end <= parent.end);
    view.setUint32(at, view.getUint32(at) + grown);
  }
}

function findOffsetTables(moov: Uint8Array): OffsetTable[] {
  const found: OffsetTable[] = [];
  const visit = (start: number, end: number, parents: readonly BoxSpan[]): void => {
    for (const box of listBoxes(moov, start, end)) {
      if (box.end > end) throw new RangeError('A box of the index is cut off.');
      if (CONTAINERS.has(box.type)) visit(box.body, box.end, [...parents, box]);
      else if (box.type === 'stco' || box.type === 'co64') found.push({ parents, box });
    }
  };
  visit(0, moov.length, []);
  return found;
}

function readOffsets(moov: Uint8Array, box: BoxSpan): number[] {
  const view = new DataView(moov.buffer, moov.byteOffset + box.body, box.end - box.body);
  const count = view.getUint32(4);
  const width = box.type === 'co64' ? 8 : 4;
  if (8 + count * width > view.byteLength) throw new RangeError('A table of chunk offsets is cut off.');
  return Array.from({ length: count }, (_, index) =>
    width === 8 ? Number(view.getBigUint64(8 + index * 8)) : view.getUint32(8 + index * 4),
  );
}
