import { DATAGRAM_BYTES, SYNC_BYTE, TS_PACKET_BYTES } from './ts-packet.ts';

/** So many packets in a row must begin with the sync byte before they are believed in. */
const SYNC_PACKETS = 3;

/** What the aligner counts. */
export interface AlignerCounters {
  syncLosses: number;
  syncByteErrors: number;
  garbageBytes: number;
}

/**
 * Makes datagrams of whole transport stream packets, seven each, out of whatever a source brings: datagrams of other
 * sizes, a stream of bytes that was cut anywhere, garbage. What is no transport stream goes no further.
 *
 * Datagrams that are as they should be pass through as they are, without a copy.
 */
export class PacketAligner {
  readonly counters: AlignerCounters = { syncLosses: 0, syncByteErrors: 0, garbageBytes: 0 };
  readonly #take: (datagram: Buffer) => void;
  /** The datagram that is being filled. */
  #filling = Buffer.allocUnsafeSlow(DATAGRAM_BYTES);
  #filled = 0;
  /** Bytes that are not yet a packet, or not yet believed to be one. */
  #rest: Buffer = EMPTY;
  #isSynchronised = false;

  /** @param take gets datagrams of at most seven packets; it may keep them */
  constructor(take: (datagram: Buffer) => void) {
    this.#take = take;
  }

  push(payload: Buffer): void {
    if (this.#rest.length === 0 && isAligned(payload)) {
      this.#isSynchronised = true;
      this.#pass(payload);
      return;
    }
    const rest = this.#rest;
    if (rest.length === 0) this.#search(payload);
    else if (isContinued(rest, payload)) this.#search(Buffer.concat([rest, payload]));
    else {
      // The datagram in between was lost.
      this.counters.garbageBytes += rest.length;
      this.#rest = EMPTY;
      this.push(payload);
    }
  }

  /** Sends what is there of a datagram: to be called every few milliseconds. */
  flush(): void {
    if (this.#filled === 0) return;
    const datagram = this.#filling.subarray(0, this.#filled);
    this.#filling = Buffer.allocUnsafeSlow(DATAGRAM_BYTES);
    this.#filled = 0;
    this.#take(datagram);
  }

  /** Forgets the part of a packet that is waiting for its rest: what comes next is of another stream. */
  reset(): void {
    this.flush();
    this.#rest = EMPTY;
    this.#isSynchronised = false;
  }

  /** Whole packets. */
  #pass(packets: Buffer): void {
    if (this.#filled === 0 && packets.length === DATAGRAM_BYTES) {
      this.#take(packets);
      return;
    }
    for (let at = 0; at < packets.length; ) {
      const count = Math.min(DATAGRAM_BYTES - this.#filled, packets.length - at);
      packets.copy(this.#filling, this.#filled, at, at + count);
      this.#filled += count;
      at += count;
      if (this.#filled === DATAGRAM_BYTES) this.flush();
    }
  }

  #search(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= TS_PACKET_BYTES) {
      if (bytes[at] !== SYNC_BYTE) {
        this.#loseSync();
        const next = bytes.indexOf(SYNC_BYTE, at + 1);
        const end = next < 0 ? bytes.length : next;
        this.counters.garbageBytes += end - at;
        at = end;
        continue;
      }
      if (!this.#isSynchronised) {
        const verdict = verdictAt(bytes, at);
        if (verdict === 'unknown') break;
        if (verdict === 'no') {
          this.counters.garbageBytes += 1;
          at += 1;
          continue;
        }
        this.#isSynchronised = true;
      }
      let end = at + TS_PACKET_BYTES;
      while (bytes.length - end >= TS_PACKET_BYTES && bytes[end] === SYNC_BYTE) end += TS_PACKET_BYTES;
      this.#pass(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
  }

  #loseSync(): void {
    if (!this.#isSynchronised) return;
    this.#isSynchronised = false;
    this.counters.syncByteErrors += 1;
    this.counters.syncLosses += 1;
  }
}

const EMPTY = Buffer.alloc(0);

function isAligned(payload: Buffer): boolean {
  const { length } = payload;
  if (length === 0 || length % TS_PACKET_BYTES !== 0) return false;
  for (let at = 0; at < length; at += TS_PACKET_BYTES) if (payload[at] !== SYNC_BYTE) return false;
  return true;
}

/** Whether a payload goes on where the rest of the one before ends: at its end the next packet begins. */
function isContinued(rest: Buffer, payload: Buffer): boolean {
  const begun = rest.length % TS_PACKET_BYTES;
  const next = begun === 0 ? 0 : TS_PACKET_BYTES - begun;
  return next >= payload.length || payload[next] === SYNC_BYTE;
}

/** Whether packets follow each other from here on, as far as the bytes go. */
function verdictAt(bytes: Buffer, at: number): 'yes' | 'no' | 'unknown' {
  for (let packet = 1; packet < SYNC_PACKETS; packet++) {
    const byte = bytes[at + packet * TS_PACKET_BYTES];
    if (byte === undefined) return 'unknown';
    if (byte !== SYNC_BYTE) return 'no';
  }
  return 'yes';
}
