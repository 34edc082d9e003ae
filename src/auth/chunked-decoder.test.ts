import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AuthFailure } from './auth-failure.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { ChunkSigner } from './chunk-signer.ts';

interface Options {
  readonly decodedLength: number;
  readonly hasTrailer?: boolean;
  readonly signer?: ChunkSigner;
}

async function decode(encoded: readonly Buffer[], { decodedLength, hasTrailer = false, signer }: Options) {
  const decoder = new ChunkedDecoder({ signer, hasTrailer, decodedLength });
  const parts: Buffer[] = [];
  for await (const part of Readable.from(encoded).compose(decoder)) parts.push(part as Buffer);
  return { data: Buffer.concat(parts), trailers: decoder.trailers };
}

/** Splits a buffer at arbitrary places, as a network does. */
function splitAt(buffer: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (buffer.length + 1)))].sort((a, b) => a - b);
  const parts: Buffer[] = [];
  let start = 0;
  for (const place of [...places, buffer.length]) {
    if (place > start) parts.push(buffer.subarray(start, place));
    start = Math.max(start, place);
  }
  return parts;
}

function encode(chunks: readonly Uint8Array[], trailer = '', signatureOf?: (chunk: Uint8Array) => string): Buffer {
  const parts: Buffer[] = [];
  for (const chunk of [...chunks.filter((c) => c.length > 0), new Uint8Array()]) {
    const signature = signatureOf === undefined ? '' : `;chunk-signature=${signatureOf(chunk)}`;
    parts.push(Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`));
    if (chunk.length > 0) parts.push(Buffer.from(chunk), Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(`${trailer}\r\n`)]);
}

const isKind = (kind: string) => (error: unknown) => error instanceof AuthFailure && error.kind === kind;

/** Stands for the chain of signatures: a chunk's signature is its own hash. */
const hashSigner: ChunkSigner = {
  isNextChunk: (hash, signature) => hash === signature,
  isTrailer: (hash, signature) => hash === signature,
};
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');

describe('ChunkedDecoder', () => {
  it('gives back the data however the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (chunks, cuts) => {
          const data = Buffer.concat(chunks);
          const result = await decode(splitAt(encode(chunks), cuts), { decodedLength: data.length });
          assert.deepEqual(result.data, data);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads trailers', async () => {
    const encoded = encode([Buffer.from('hello')], 'x-amz-checksum-crc32:NhCmhg==\r\n');
    const result = await decode([encoded], { decodedLength: 5, hasTrailer: true });
    assert.deepEqual(result.trailers, { 'x-amz-checksum-crc32': 'NhCmhg==' });
  });

  it('takes the end of the body for the empty line after the last chunk', async () => {
    const result = await decode([Buffer.from('3\r\nabc\r\n0\r\n')], { decodedLength: 3 });
    assert.equal(result.data.toString(), 'abc');
  });

  it('refuses every truncation', async () => {
    const encoded = encode([Buffer.from('hello'), Buffer.from('world')]);
    for (let length = 0; length < encoded.length - 2; length++) {
      await assert.rejects(decode([encoded.subarray(0, length)], { decodedLength: 10 }), AuthFailure, `at ${length}`);
    }
  });

  it('refuses a length other than the declared one', async () => {
    const encoded = encode([Buffer.from('hello')]);
    await assert.rejects(decode([encoded], { decodedLength: 4 }), isKind('incomplete-body'));
    await assert.rejects(decode([encoded], { decodedLength: 6 }), isKind('incomplete-body'));
  });

  it('refuses what is not in the form', async () => {
    for (const text of [
      'zz\r\n',
      '5\r\nhelloXX\r\n0\r\n\r\n',
      '-1\r\n',
      '5;x=y\r\nhello\r\n0\r\n\r\n',
      `${'0'.repeat(5000)}\r\n`,
    ]) {
      await assert.rejects(
        decode([Buffer.from(text)], { decodedLength: 5 }),
        isKind('malformed-chunk'),
        text.slice(0, 40),
      );
    }
    await assert.rejects(decode([Buffer.from('0\r\n\r\nmore')], { decodedLength: 0 }), isKind('malformed-chunk'));
  });

  it('refuses trailers that were not announced or are not AWS headers', async () => {
    const encoded = encode([Buffer.from('hello')], 'x-amz-checksum-crc32:NhCmhg==\r\n');
    await assert.rejects(decode([encoded], { decodedLength: 5 }), isKind('malformed-chunk'));
    const other = encode([Buffer.from('hello')], 'host:evil\r\n');
    await assert.rejects(decode([other], { decodedLength: 5, hasTrailer: true }), isKind('malformed-chunk'));
  });

  it('refuses a chunk whose data is not what was signed', async () => {
    const encoded = encode([Buffer.from('hello')], '', sha256);
    const options = { decodedLength: 5, signer: hashSigner };
    assert.equal((await decode([encoded], options)).data.toString(), 'hello');
    const changed = Buffer.from(encoded.toString('latin1').replace('hello', 'jello'), 'latin1');
    await assert.rejects(decode([changed], options), isKind('chunk-signature-mismatch'));
    await assert.rejects(decode([encode([Buffer.from('hello')])], options), isKind('chunk-signature-mismatch'));
  });

  it('refuses trailers of a signed upload that are not signed, or not rightly', async () => {
    const options = { decodedLength: 5, signer: hashSigner, hasTrailer: true };
    const trailer = 'x-amz-checksum-crc32:NhCmhg==';
    const withSignature = (signature: string) =>
      encode([Buffer.from('hello')], `${trailer}\r\nx-amz-trailer-signature:${signature}\r\n`, sha256);
    const result = await decode([withSignature(sha256(`${trailer}\n`))], options);
    assert.equal(result.trailers['x-amz-checksum-crc32'], 'NhCmhg==');
    await assert.rejects(decode([withSignature(sha256('other'))], options), isKind('chunk-signature-mismatch'));
    await assert.rejects(
      decode([encode([Buffer.from('hello')], `${trailer}\r\n`, sha256)], options),
      isKind('chunk-signature-mismatch'),
    );
  });
});
