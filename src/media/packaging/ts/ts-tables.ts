import type { CodedTrack } from '../codecs/track-codec.ts';

export const PAT_PID = 0;
export const PMT_PID = 0x1000;
/** The tracks' own begin here. */
const FIRST_TRACK_PID = 0x100;
const PROGRAM = 1;
const TRANSPORT_STREAM = 1;

/** `stream_type` (ISO 13818-1, table 2-34). */
const STREAM_TYPES: Readonly<Partial<Record<CodedTrack['codec']['kind'], number>>> = {
  avc: 0x1b,
  hevc: 0x24,
  aac: 0x0f,
};

/** How a track is carried; `undefined` for what MPEG-TS does not carry. */
export function streamTypeOf(track: CodedTrack): number | undefined {
  const { codec } = track;
  return codec.kind === 'aac' && codec.adts === undefined ? undefined : STREAM_TYPES[codec.kind];
}

export function pidOf(index: number): number {
  return FIRST_TRACK_PID + index;
}

/** Which programmes there are: one. */
export function programAssociation(): Buffer {
  const program = Buffer.of(PROGRAM >> 8, PROGRAM & 0xff, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff);
  return section(0, TRANSPORT_STREAM, program);
}

/** Which streams the programme has. The first one carries the clock. */
export function programMap(tracks: readonly CodedTrack[]): Buffer {
  const clock = Buffer.of(0xe0 | (pidOf(0) >> 8), pidOf(0) & 0xff, 0xf0, 0);
  const streams = tracks.map((track, index) =>
    Buffer.of(streamTypeOf(track) ?? 0, 0xe0 | (pidOf(index) >> 8), pidOf(index) & 0xff, 0xf0, 0),
  );
  return section(2, PROGRAM, Buffer.concat([clock, ...streams]));
}

/** A section with its head and checksum (ISO 13818-1, 2.4.4). */
export function section(table: number, id: number, body: Buffer): Buffer {
  const length = 5 + body.length + 4;
  const head = Buffer.of(table, 0xb0 | (length >> 8), length & 0xff, id >> 8, id & 0xff, 0xc1, 0, 0);
  const checked = Buffer.concat([head, body]);
  const checksum = Buffer.allocUnsafe(4);
  checksum.writeUInt32BE(crc32Mpeg(checked));
  return Buffer.concat([checked, checksum]);
}

/** The checksum of sections: CRC-32 with the bits in the order of the stream (ISO 13818-1, Annex A). */
function crc32Mpeg(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) === 0 ? crc << 1 : (crc << 1) ^ 0x04c1_1db7;
  }
  return crc >>> 0;
}
