const HEADER_BYTES = 7;

/**
 * AAC's private data (AudioSpecificConfig) from a packet that carries its own ADTS header, as in MPEG-TS; undefined
 * where there is no such header.
 */
export function audioConfigOfAdts(packet: Buffer): Buffer | undefined {
  if (packet.length < HEADER_BYTES || packet[0] !== 0xff || ((packet[1] ?? 0) & 0xf6) !== 0xf0) return undefined;
  const [, , second = 0, third = 0] = packet;
  const objectType = (second >> 6) + 1;
  const frequency = (second >> 2) & 0x0f;
  const channels = ((second & 1) << 2) | (third >> 6);
  const config = Buffer.alloc(2);
  config.writeUInt16BE((objectType << 11) | (frequency << 7) | (channels << 3));
  return config;
}
