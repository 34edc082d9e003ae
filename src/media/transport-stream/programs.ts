import { readProgramAssociation, readProgramMap } from './program-tables.ts';
import { SectionAssembler } from './section-assembler.ts';
import { PAT_PID, SYNC_BYTE, TS_PACKET_BYTES } from './ts-packet.ts';

/** A program, and the PIDs of its streams. */
export interface Program {
  readonly number: number;
  readonly pids: ReadonlySet<number>;
}

/** Plain; behind a time stamp, as on discs; with a checksum behind. */
const SPACINGS = [188, 192, 204];
/** So many packets in a row have to begin with the mark. */
const MARKS = 5;

/**
 * The programs of a transport stream that its beginning describes, in the order of its table of them.
 *
 * @param head the first bytes of a file: tables come several times a second
 */
export function readPrograms(head: Buffer): Program[] {
  const found = findPackets(head);
  if (found === undefined) return [];
  const maps = new Map<number, { number: number; pids?: ReadonlySet<number> }>();
  const assemblers = new Map<number, SectionAssembler>();
  const tables = new SectionAssembler((section) => {
    for (const { programNumber, pid } of readProgramAssociation(section) ?? []) {
      if (!maps.has(programNumber)) maps.set(programNumber, { number: programNumber });
      if (!assemblers.has(pid)) assemblers.set(pid, new SectionAssembler(take));
    }
  });
  const take = (section: Buffer): void => {
    const map = readProgramMap(section);
    const program = map === undefined ? undefined : maps.get(map.programNumber);
    if (program !== undefined && map !== undefined) program.pids ??= new Set(map.streams.map(({ pid }) => pid));
  };
  assemblers.set(PAT_PID, tables);
  for (let at = found.first; at + TS_PACKET_BYTES <= head.length; at += found.spacing) {
    if (head[at] !== SYNC_BYTE) break;
    const pid = head.readUInt16BE(at + 1) & 0x1fff;
    assemblers.get(pid)?.packet(head, at);
    if (maps.size > 0 && [...maps.values()].every(({ pids }) => pids !== undefined)) break;
  }
  return [...maps.values()].flatMap(({ number, pids }) => (pids === undefined ? [] : [{ number, pids }]));
}

function findPackets(head: Buffer): { readonly first: number; readonly spacing: number } | undefined {
  for (const spacing of SPACINGS) {
    for (let first = 0; first < spacing && first + MARKS * spacing < head.length; first++) {
      const isMarked = Array.from({ length: MARKS }, (_, index) => head[first + index * spacing] === SYNC_BYTE);
      if (isMarked.every(Boolean)) return { first, spacing };
    }
  }
  return undefined;
}
