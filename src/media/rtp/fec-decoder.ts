import { FecPacketView, recoverPacket } from './fec-packet.ts';

/** Media packets that are kept for recovering others: a matrix, the next one in which its FEC comes, and as much again. */
const KEPT_PACKETS = 512;
/** FEC packets that wait for more media: those of five of the largest matrices. */
const KEPT_FEC = 128;
/** Milliseconds after which FEC makes a packet that no later one has shown to be missing. */
const SETTLED_MS = 100;
/** Milliseconds after which a FEC packet is given up. */
const LONGEST_WAIT_MS = 5000;

export interface FecDecoderOptions {
  /** The position that a 16-bit sequence number means, and one after the newest that came. */
  readonly positionOf: (sequence: number) => number;
  readonly end: () => number;
  /** Takes a packet that was made, with an RTP header. */
  readonly onRecovered: (packet: Buffer, position: number, now: number) => void;
}

/**
 * Recovers the packets of an RTP stream from the FEC of rows and columns (SMPTE ST 2022-1): what one recovers may let the
 * other recover more, and so on. Positions are sequence numbers without their wrapping.
 *
 * Memory is fixed but for the packets that are kept, at most 512 and 128.
 */
export class FecDecoder {
  /** FEC packets that could be read. */
  packets = 0;
  /** FEC packets that could not, or from which no packet could come. */
  malformed = 0;
  /** The extent of a matrix, as the FEC of columns tells; 0 before it does. */
  columns = 0;
  rows = 0;

  readonly #options: FecDecoderOptions;
  readonly #view = new FecPacketView();
  readonly #media: (Buffer | undefined)[] = Array.from({ length: KEPT_PACKETS }, () => undefined);
  readonly #positions = new Float64Array(KEPT_PACKETS).fill(-1);
  // FEC packets that miss more than one packet, or one that may yet come.
  readonly #fec: (Buffer | undefined)[] = Array.from({ length: KEPT_FEC }, () => undefined);
  readonly #bases = new Float64Array(KEPT_FEC);
  readonly #offsets = new Uint8Array(KEPT_FEC);
  readonly #counts = new Uint8Array(KEPT_FEC);
  readonly #cameAt = new Float64Array(KEPT_FEC);
  #waiting = 0;

  constructor(options: FecDecoderOptions) {
    this.#options = options;
  }

  /** Whether FEC waits, so that `tick` is worth calling. */
  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** @param showsGap whether this packet shows that others are missing */
  addMedia(packet: Buffer, position: number, showsGap: boolean, now: number): void {
    this.#keep(packet, position);
    if (this.#waiting > 0) this.#recoverAll(now, showsGap ? undefined : position);
  }

  /** @param isRow whether it is of a row, as its port tells */
  addFec(packet: Buffer, isRow: boolean, now: number): void {
    if (!this.#view.read(packet)) {
      this.malformed++;
      return;
    }
    this.packets++;
    const { offset, count } = this.#view;
    const base = this.#options.positionOf(this.#view.base);
    const end = this.#options.end();
    if (base < end - KEPT_PACKETS || base + offset * count > end + KEPT_PACKETS) return;
    if (!isRow) {
      this.columns = offset;
      this.rows = count;
    }
    if (this.#waiting === KEPT_FEC) this.#remove(0);
    const index = this.#waiting++;
    this.#fec[index] = packet;
    this.#bases[index] = base;
    this.#offsets[index] = offset;
    this.#counts[index] = count;
    this.#cameAt[index] = now;
    // Nearly always nothing is missing.
    if (this.#tryOne(index, now)) this.#recoverAll(now, undefined);
  }

  /** Recovers packets that nothing showed to be missing, such as a stream's last, and gives up FEC that is too old. */
  tick(now: number): void {
    for (let index = this.#waiting - 1; index >= 0; index--) {
      if (now - (this.#cameAt[index] ?? 0) > LONGEST_WAIT_MS) this.#remove(index);
    }
    this.#recoverAll(now, undefined);
  }

  /** Forgets the stream: another one begins. */
  clear(): void {
    this.#media.fill(undefined);
    this.#positions.fill(-1);
    this.#fec.fill(undefined);
    this.#waiting = 0;
  }

  /** Packets that may come after a missing one until the last FEC of its matrix has come, sent during the next matrix. */
  get reach(): number {
    return 2 * this.columns * this.rows + this.columns + 4;
  }

  #keep(packet: Buffer, position: number): void {
    const slot = position & (KEPT_PACKETS - 1);
    // A late packet does not take the place of a newer one.
    if ((this.#positions[slot] ?? -1) > position) return;
    this.#media[slot] = packet;
    this.#positions[slot] = position;
  }

  #find(position: number): Buffer | undefined {
    const slot = position & (KEPT_PACKETS - 1);
    return this.#positions[slot] === position ? this.#media[slot] : undefined;
  }

  /**
   * Recovers what can be, until nothing more can.
   *
   * @param position of the only packet that is new; `undefined` looks at all FEC
   */
  #recoverAll(now: number, position: number | undefined): void {
    let isAll = position === undefined;
    for (let hasMore = true; hasMore; isAll = true) {
      hasMore = false;
      for (let index = this.#waiting - 1; index >= 0; index--) {
        if (!isAll && !this.#protects(index, position ?? 0)) continue;
        if (index < this.#waiting && this.#tryOne(index, now)) hasMore = true;
      }
    }
  }

  #protects(index: number, position: number): boolean {
    const distance = position - (this.#bases[index] ?? 0);
    const offset = this.#offsets[index] ?? 1;
    return distance >= 0 && distance % offset === 0 && distance / offset < (this.#counts[index] ?? 0);
  }

  /** @returns whether a packet was recovered; the FEC packet is removed when it is of no more use */
  #tryOne(index: number, now: number): boolean {
    const fec = this.#fec[index];
    const base = this.#bases[index] ?? 0;
    const offset = this.#offsets[index] ?? 1;
    const count = this.#counts[index] ?? 0;
    let missing = -1;
    let missed = 0;
    for (let member = 0; member < count && missed < 2; member++) {
      if (this.#find(base + member * offset) !== undefined) continue;
      missing = base + member * offset;
      missed++;
    }
    const end = this.#options.end();
    const isHopeless = base < end - KEPT_PACKETS;
    const isKnown = missing < end || now - (this.#cameAt[index] ?? 0) >= SETTLED_MS;
    if (!isHopeless && (missed > 1 || (missed === 1 && !isKnown))) return false;
    this.#remove(index);
    if (isHopeless || missed === 0 || fec === undefined) return false;
    return this.#recover(fec, base, offset, count, missing, now);
  }

  #recover(fec: Buffer, base: number, offset: number, count: number, missing: number, now: number): boolean {
    const others: Buffer[] = [];
    for (let member = 0; member < count; member++) {
      const other = this.#find(base + member * offset);
      if (other !== undefined) others.push(other);
    }
    const packet = recoverPacket(fec, others, missing);
    if (packet === undefined) {
      this.malformed++;
      return false;
    }
    this.#keep(packet, missing);
    this.#options.onRecovered(packet, missing, now);
    return true;
  }

  /** The last one takes the place of the one that leaves. */
  #remove(index: number): void {
    const last = --this.#waiting;
    this.#fec[index] = this.#fec[last];
    this.#bases[index] = this.#bases[last] ?? 0;
    this.#offsets[index] = this.#offsets[last] ?? 0;
    this.#counts[index] = this.#counts[last] ?? 0;
    this.#cameAt[index] = this.#cameAt[last] ?? 0;
    this.#fec[last] = undefined;
  }
}
