const PACKETS = 7;
const PACKET_BYTES = 188;
const PID = 0x100;
const MARK = 0x4d41_524b;
/** Behind the packet's head: the mark, the datagram's number, and when it was made. */
const MARK_AT = 4;

/** Makes datagrams of a transport stream that say which they are, and when they were made. */
export class StreamMaker {
  count = 0;
  #continuity = 0;

  next(): Buffer {
    const datagram = Buffer.alloc(PACKETS * PACKET_BYTES, 0xa5);
    for (let at = 0; at < datagram.length; at += PACKET_BYTES) {
      datagram.writeUInt32BE(0x4700_0010 | (PID << 8) | this.#continuity, at);
      this.#continuity = (this.#continuity + 1) & 0x0f;
    }
    datagram.writeUInt32BE(MARK, MARK_AT);
    datagram.writeUInt32BE(this.count, MARK_AT + 4);
    datagram.writeDoubleBE(performance.timeOrigin + performance.now(), MARK_AT + 8);
    this.count += 1;
    return datagram;
  }
}

/** @returns `undefined` of a datagram without a mark; `age` in milliseconds */
export function readMarker(datagram: Buffer): { readonly number: number; readonly age: number } | undefined {
  if (datagram.length < MARK_AT + 16 || datagram.readUInt32BE(MARK_AT) !== MARK) return undefined;
  const age = performance.timeOrigin + performance.now() - datagram.readDoubleBE(MARK_AT + 8);
  return { number: datagram.readUInt32BE(MARK_AT + 4), age };
}
