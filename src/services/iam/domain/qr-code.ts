import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'uqr';

/** Pixels of a module's side. */
const SCALE = 5;
/** Modules of white around it, which readers need (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** A PNG with a QR code of `text`, in black and white. */
export function qrCodePng(text: string): Buffer {
  const { data } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  const side = data.length * SCALE;
  const rowLength = 1 + Math.ceil(side / 8);
  const pixels = Buffer.alloc(rowLength * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isDark = data[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)] === true;
      const at = y * rowLength + 1 + (x >> 3);
      // One bit a pixel, 1 is white.
      if (!isDark) pixels[at] = (pixels[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // Bit depth 1, greyscale; deflate, no interlacing.
  header[8] = 1;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}
