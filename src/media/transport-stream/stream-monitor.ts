import type { ProgramInfo, StreamHealth } from '../live/stream-report.ts';
import { ClockCheck } from './clock-check.ts';
import { ElementaryProbe } from './elementary-probe.ts';
import { type KeyFrame, KeyFrameKeeper } from './key-frame-keeper.ts';
import { readPesStart } from './pes.ts';
import { isIntact, type ProgramMap, readProgramAssociation, readProgramMap } from './program-tables.ts';
import { SectionAssembler } from './section-assembler.ts';
import { kindOfStream } from './stream-types.ts';
import { CAT_PID, NULL_PID, PAT_PID, PID_COUNT, TS_PACKET_BYTES } from './ts-packet.ts';

/** Milliseconds; ETSI TR 101 290 (5.2.1, 5.2.2). */
const TABLE_INTERVAL_MS = 500;
const PTS_INTERVAL_MS = 700;
/** How long a stream that a PMT names may be away: "a user-specified period". */
const PID_INTERVAL_MS = 5000;
/** A stream with more programs, or streams, is not looked at beyond. */
const MAX_PROGRAMS = 64;
const MAX_STREAMS = 256;
const UNKNOWN = 255;

type Counters = { -readonly [Name in keyof StreamHealth]: number };

interface Table {
  readonly assembler: SectionAssembler;
  /** When a good section last came. */
  at: number;
}

interface Program {
  readonly programNumber: number;
  readonly pid: number;
  map: ProgramMap | undefined;
}

interface Stream {
  readonly probe: ElementaryProbe;
  readonly keeper: KeyFrameKeeper | undefined;
  ptsAt: number;
  seenAt: number;
}

/**
 * Watches a transport stream as it passes: what is in it, and whether it is well (ETSI TR 101 290, priorities 1 and 2).
 * It holds tables of fixed size, and of what the stream carries only the newest key frame, if that is wanted.
 */
export class StreamMonitor {
  readonly #keepsKeyFrame: boolean;
  readonly #counters: Counters = emptyHealth();
  /** Each PID's last continuity counter, and whether that packet came twice already. */
  readonly #continuity = new Uint8Array(PID_COUNT).fill(UNKNOWN);
  readonly #repeated = new Uint8Array(PID_COUNT);
  /** What to do with a PID's packets. */
  readonly #roles = new Uint8Array(PID_COUNT);
  readonly #tables = new Map<number, Table>();
  readonly #streams = new Map<number, Stream>();
  readonly #clocks = new Map<number, ClockCheck>();
  #programs: readonly Program[] = [];
  #isScrambled = false;
  #hasCat = false;
  #now = 0;
  #lastPacketAt = Number.NEGATIVE_INFINITY;
  /** Bytes of the stream before the datagram at hand. */
  #position = 0;

  constructor(keepsKeyFrame: boolean) {
    this.#keepsKeyFrame = keepsKeyFrame;
    this.#watchTable(PAT_PID, (section) => this.#programAssociation(section));
    this.#watchTable(CAT_PID, () => undefined);
  }

  /** @param garbage what the aligner counted before the stream came here */
  health(garbage: Pick<StreamHealth, 'syncLosses' | 'syncByteErrors' | 'garbageBytes'>): StreamHealth {
    return { ...this.#counters, ...garbage };
  }

  programs(): readonly ProgramInfo[] {
    return this.#programs.map(({ programNumber, pid, map }) => ({
      programNumber,
      programPid: pid,
      pcrPid: map?.pcrPid ?? NULL_PID,
      programName: undefined,
      streams: (map?.streams ?? []).flatMap((stream) => this.#streams.get(stream.pid)?.probe.info() ?? []),
    }));
  }

  /** The newest key frame of the first video. */
  keyFrame(): KeyFrame | undefined {
    for (const { keeper } of this.#streams.values()) if (keeper?.newest !== undefined) return keeper.newest;
    return undefined;
  }

  /**
   * @param datagram whole packets
   * @param now milliseconds of a steady clock
   */
  inspect(datagram: Buffer, now: number): void {
    // What was not there while nothing came is not missing.
    if (now - this.#lastPacketAt > TABLE_INTERVAL_MS) this.#resume(now);
    this.#now = now;
    this.#lastPacketAt = now;
    for (let at = 0; at < datagram.length; at += TS_PACKET_BYTES) this.#packet(datagram, at);
    this.#position += datagram.length;
  }

  /** To be called some ten times a second: counts what did not come in time. */
  tick(now: number): void {
    if (now - this.#lastPacketAt > TABLE_INTERVAL_MS) return;
    for (const [pid, table] of this.#tables) {
      if (pid === CAT_PID || now - table.at <= TABLE_INTERVAL_MS) continue;
      table.at = now;
      if (pid === PAT_PID) this.#counters.patErrors += 1;
      else this.#counters.pmtErrors += 1;
    }
    for (const stream of this.#streams.values()) {
      if (stream.probe.stream.kind === 'data' || now - stream.seenAt <= PID_INTERVAL_MS) continue;
      stream.seenAt = now;
      this.#counters.pidErrors += 1;
    }
    for (const clock of this.#clocks.values()) this.#counters.pcrErrors += clock.tick(now);
    if (this.#isScrambled && !this.#hasCat) this.#counters.catErrors += 1;
    this.#isScrambled = false;
  }

  #resume(now: number): void {
    for (const table of this.#tables.values()) table.at = now;
    for (const stream of this.#streams.values()) {
      stream.seenAt = now;
      stream.ptsAt = Number.POSITIVE_INFINITY;
    }
    for (const clock of this.#clocks.values()) clock.reset();
  }

  #packet(data: Buffer, at: number): void {
    const counters = this.#counters;
    counters.packets += 1;
    const second = data[at + 1] ?? 0;
    if ((second & 0x80) !== 0) {
      counters.transportErrors += 1;
      return;
    }
    const pid = ((second & 0x1f) << 8) | (data[at + 2] ?? 0);
    if (pid === NULL_PID) return;
    const flags = data[at + 3] ?? 0;
    const adaptation = (flags & 0x20) !== 0 && (data[at + 4] ?? 0) > 0 ? (data[at + 5] ?? 0) : 0;
    const isWhole = this.#checkContinuity(pid, flags, (adaptation & 0x80) !== 0);
    if ((flags & 0xc0) !== 0) {
      this.#isScrambled = true;
      if (pid === PAT_PID) counters.patErrors += 1;
    }
    if ((adaptation & 0x10) !== 0) this.#clock(pid, data, at, (adaptation & 0x80) !== 0);
    const role = this.#roles[pid];
    if (role === ROLE_TABLE) {
      const assembler = this.#tables.get(pid)?.assembler;
      if (!isWhole) assembler?.reset();
      assembler?.packet(data, at);
    } else if (role === ROLE_STREAM) this.#streamPacket(pid, data, at, (second & 0x40) !== 0, isWhole);
  }

  /** @returns false where packets are missing before this one */
  #checkContinuity(pid: number, flags: number, isAnnounced: boolean): boolean {
    const last = this.#continuity[pid] ?? UNKNOWN;
    const counter = flags & 0x0f;
    const hasPayload = (flags & 0x10) !== 0;
    this.#continuity[pid] = counter;
    if (last === UNKNOWN || isAnnounced) return true;
    if (counter === last) {
      // A packet may come twice; one without payload does not count.
      if (!hasPayload) return true;
      const isTooOften = this.#repeated[pid] === 1;
      this.#repeated[pid] = 1;
      if (isTooOften) this.#counters.continuityErrors += 1;
      return !isTooOften;
    }
    this.#repeated[pid] = 0;
    if (hasPayload && counter === ((last + 1) & 0x0f)) return true;
    this.#counters.continuityErrors += 1;
    return false;
  }

  #clock(pid: number, data: Buffer, at: number, isDiscontinuous: boolean): void {
    const clock = this.#clocks.get(pid);
    if (clock === undefined || (data[at + 4] ?? 0) < 7) return;
    if (isDiscontinuous) clock.reset();
    const errors = clock.pcr(readPcr(data, at + 6), this.#position + at, this.#now);
    this.#counters.pcrErrors += errors.interval;
    this.#counters.pcrAccuracyErrors += errors.accuracy;
  }

  #streamPacket(pid: number, data: Buffer, at: number, isStart: boolean, isWhole: boolean): void {
    const stream = this.#streams.get(pid);
    if (stream === undefined) return;
    stream.seenAt = this.#now;
    if (!isWhole) stream.keeper?.lose();
    stream.keeper?.packet(data, at, isStart, this.#now);
    if (!isStart) return;
    const pes = readPesStart(data, at);
    if (pes === undefined) return;
    if (pes.pts !== undefined) {
      if (this.#now - stream.ptsAt > PTS_INTERVAL_MS && stream.probe.stream.kind !== 'data') {
        this.#counters.ptsErrors += 1;
      }
      stream.ptsAt = this.#now;
    }
    if (stream.probe.isCurious) stream.probe.pesStart(pes.dts, data.subarray(pes.at, at + TS_PACKET_BYTES));
  }

  #watchTable(pid: number, take: (section: Buffer) => void): void {
    const table: Table = {
      at: this.#now,
      assembler: new SectionAssembler((section) => {
        if (!isIntact(section)) {
          this.#counters.crcErrors += 1;
          return;
        }
        table.at = this.#now;
        if (pid === CAT_PID) this.#hasCat = true;
        take(section);
      }),
    };
    this.#tables.set(pid, table);
    this.#roles[pid] = ROLE_TABLE;
  }

  #programAssociation(section: Buffer): void {
    const associations = readProgramAssociation(section)?.slice(0, MAX_PROGRAMS);
    if (associations === undefined) {
      if (section[0] !== 0) this.#counters.patErrors += 1;
      return;
    }
    const isSame =
      associations.length === this.#programs.length &&
      associations.every(({ programNumber, pid }, index) => {
        const known = this.#programs[index];
        return known?.programNumber === programNumber && known.pid === pid;
      });
    if (isSame) return;
    this.#forgetPrograms();
    this.#programs = associations.map(({ programNumber, pid }) => ({ programNumber, pid, map: undefined }));
    for (const { pid } of this.#programs) if (pid > CAT_PID) this.#watchTable(pid, (map) => this.#programMap(pid, map));
  }

  #forgetPrograms(): void {
    for (const pid of this.#tables.keys()) {
      if (pid <= CAT_PID) continue;
      this.#tables.delete(pid);
      this.#roles[pid] = 0;
    }
    this.#programs = [];
    this.#forgetStreams();
  }

  #forgetStreams(): void {
    for (const pid of this.#streams.keys()) this.#roles[pid] = 0;
    this.#streams.clear();
    this.#clocks.clear();
  }

  #programMap(pid: number, section: Buffer): void {
    const map = readProgramMap(section);
    const program = this.#programs.find((one) => one.pid === pid && one.programNumber === map?.programNumber);
    if (map === undefined || program === undefined || isSameMap(program.map, map)) return;
    program.map = { ...map, streams: map.streams.slice(0, MAX_STREAMS) };
    this.#watchStreams();
  }

  /** Streams that were there already go on as they are. */
  #watchStreams(): void {
    const before = new Map(this.#streams);
    const clocks = new Map(this.#clocks);
    this.#forgetStreams();
    let hasKeeper = !this.#keepsKeyFrame;
    for (const { map } of this.#programs) {
      if (map === undefined) continue;
      this.#clocks.set(map.pcrPid, clocks.get(map.pcrPid) ?? new ClockCheck());
      for (const { pid, streamType, descriptors } of map.streams) {
        if (this.#roles[pid] === ROLE_TABLE || pid === NULL_PID) continue;
        const kind = kindOfStream(streamType, descriptors);
        const codec = hasKeeper ? undefined : STILL_CODECS[kind.codec];
        hasKeeper ||= codec !== undefined;
        const known = before.get(pid);
        const isKnown =
          known?.probe.stream.codec === kind.codec && (known.keeper === undefined) === (codec === undefined);
        this.#streams.set(
          pid,
          isKnown
            ? known
            : {
                probe: new ElementaryProbe(pid, kind),
                keeper: codec === undefined ? undefined : new KeyFrameKeeper(codec),
                ptsAt: Number.POSITIVE_INFINITY,
                seenAt: this.#now,
              },
        );
        this.#roles[pid] = ROLE_STREAM;
      }
    }
  }
}

const ROLE_TABLE = 1;
const ROLE_STREAM = 2;
const STILL_CODECS: Readonly<Record<string, KeyFrameKeeper['codec']>> = { 'H.264': 'h264', HEVC: 'hevc' };

function isSameMap(known: ProgramMap | undefined, map: ProgramMap): boolean {
  return (
    known !== undefined &&
    known.pcrPid === map.pcrPid &&
    known.streams.length === map.streams.length &&
    map.streams.every(({ pid, streamType, descriptors }, index) => {
      const stream = known.streams[index];
      return stream?.pid === pid && stream.streamType === streamType && stream.descriptors.equals(descriptors);
    })
  );
}

/** In ticks of 27 MHz. */
function readPcr(data: Buffer, at: number): number {
  const base = data.readUInt32BE(at) * 2 + ((data[at + 4] ?? 0) >> 7);
  return base * 300 + (data.readUInt16BE(at + 4) & 0x1ff);
}

function emptyHealth(): Counters {
  return {
    syncLosses: 0,
    syncByteErrors: 0,
    patErrors: 0,
    continuityErrors: 0,
    pmtErrors: 0,
    pidErrors: 0,
    transportErrors: 0,
    crcErrors: 0,
    pcrErrors: 0,
    pcrAccuracyErrors: 0,
    ptsErrors: 0,
    catErrors: 0,
    packets: 0,
    garbageBytes: 0,
  };
}
