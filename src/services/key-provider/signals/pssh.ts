/** The 16 bytes of a UUID, in the order in which it is written. */
export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/**
 * A `pssh` box (ISO/IEC 23001-7, 8.1): version 0, or version 1 where it lists key ids.
 *
 * @param systemId a UUID
 */
export function psshBox(systemId: string, data: Buffer, kids: readonly string[] = []): Buffer {
  const hasKids = kids.length > 0;
  const list = hasKids ? Buffer.concat([uint32(kids.length), ...kids.map(uuidBytes)]) : Buffer.alloc(0);
  const body = Buffer.concat([
    Buffer.from('pssh'),
    Buffer.of(hasKids ? 1 : 0, 0, 0, 0),
    uuidBytes(systemId),
    list,
    uint32(data.length),
    data,
  ]);
  return Buffer.concat([uint32(body.length + 4), body]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
