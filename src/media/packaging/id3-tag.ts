/** ID3 version 2.4 tags of one frame each. Source: id3.org, "ID3 tag version 2.4.0". */

const TICKS = 90_000;
/** The clock of a transport stream has 33 bits. */
const CLOCK_TURN = 2n ** 33n;

/** The time at which a segment of packed audio begins. Source: RFC 8216, 3.4. */
export function timestampTag(seconds: number): Buffer {
  const clock = Buffer.alloc(8);
  clock.writeBigUInt64BE(BigInt(Math.max(0, Math.round(seconds * TICKS))) % CLOCK_TURN);
  return privateTag('com.apple.streaming.transportStreamTimestamp', clock);
}

/** @param owner of the data, who knows what it means */
function privateTag(owner: string, data: Uint8Array): Buffer {
  return tag('PRIV', Buffer.concat([Buffer.from(`${owner}\0`, 'latin1'), data]));
}

/** The date at which something is shown, to the second. */
export function dateTag(date: Date): Buffer {
  const UTF8 = 3;
  return tag('TDRL', Buffer.concat([Buffer.of(UTF8), Buffer.from(`${date.toISOString().slice(0, 19)}\0`, 'latin1')]));
}

/** @param name of the one frame, four letters */
function tag(name: string, body: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.from(name, 'latin1'), syncSafe(body.length), Buffer.alloc(2), body]);
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0]), syncSafe(frame.length), frame]);
}

/** Seven bits a byte. */
function syncSafe(value: number): Buffer {
  return Buffer.from([(value >> 21) & 0x7f, (value >> 14) & 0x7f, (value >> 7) & 0x7f, value & 0x7f]);
}
