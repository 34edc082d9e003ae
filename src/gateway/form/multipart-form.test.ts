import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundaryOf, readUploadForm } from './multipart-form.ts';

const BOUNDARY = 'b0undary';

async function* pieces(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield Buffer.from(body.subarray(at, at + size));
}

function formOf(fields: readonly (readonly [string, string])[], file: Uint8Array, head = 'filename="f"'): Buffer {
  const parts = fields.map(([name, value]) => {
    return Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  });
  const start = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; ${head}\r\n\r\n`;
  return Buffer.concat([...parts, Buffer.from(start), file, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}

async function read(body: Buffer, size = 7) {
  const form = await readUploadForm(pieces(body, size), BOUNDARY);
  const chunks: Uint8Array[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  return { fields: [...form.fields], filename: form.filename, file: Buffer.concat(chunks) };
}

/** Bytes that often look like the beginning of a boundary. */
const tricky = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n--', `\r\n--${BOUNDARY.slice(0, -1)}`, BOUNDARY, 'x'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  )
  .map((parts) => parts.join(''))
  .filter((text) => !`\r\n${text}\r\n`.includes(`\r\n--${BOUNDARY}`));

test('fields and file come out as they went in, however the body is cut into chunks', async () => {
  const property = fc.asyncProperty(tricky, tricky, fc.integer({ min: 1, max: 40 }), async (value, content, size) => {
    const { fields, file } = await read(formOf([['Key', value]], Buffer.from(content)), size);
    assert.deepEqual(fields, [['key', value]]);
    assert.equal(file.toString(), content);
  });
  await fc.assert(property, { numRuns: 200 });
});

test('a form that is cut off anywhere fails, at the latest at the end of its file', async () => {
  const body = formOf([['key', 'a']], Buffer.from('content'));
  for (let length = 0; length < body.length - 4; length++) {
    await assert.rejects(read(body.subarray(0, length)), { code: 'MalformedPOSTRequest' }, String(length));
  }
});

test('what is not a form is refused, and so is one whose fields say a thing twice', async () => {
  const file = Buffer.from('x');
  const changed = (from: string, to: string) =>
    read(
      Buffer.from(
        formOf([['key', 'a']], file)
          .toString()
          .replace(from, to),
      ),
    );
  const malformed = { code: 'MalformedPOSTRequest' };
  await assert.rejects(changed('--b0', '-b0'), malformed);
  await assert.rejects(changed('form-data', 'attachment'), malformed);
  await assert.rejects(changed('name="key"', 'names="key"'), malformed);
  await assert.rejects(changed('name="key"', 'name=""'), malformed);
  await assert.rejects(changed('\r\nContent', '\r\n: x\r\nContent'), malformed);
  await assert.rejects(changed('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n'), malformed);
  await assert.rejects(read(formOf([['key', 'a']], Buffer.alloc(0)).fill(0xff, 60, 62)), malformed);
  await assert.rejects(
    read(
      formOf(
        [
          ['key', 'a'],
          ['KEY', 'b'],
        ],
        file,
      ),
    ),
    { code: 'InvalidArgument' },
  );
  const none = Buffer.from(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n--${BOUNDARY}--\r\n`,
  );
  await assert.rejects(read(none), /exactly one file/);
});

test('what stands before the file is bounded, in one field as in many heads', async () => {
  const tooLarge = { code: 'MaxPostPreDataLengthExceeded' };
  const file = Buffer.from('x');
  await assert.rejects(read(formOf([['a', 'x'.repeat(20_480)]], file), 4096), tooLarge);
  const many = Array.from({ length: 400 }, (_, index) => [`a${index}`, ''] as const);
  await assert.rejects(read(formOf(many, file), 4096), tooLarge);
  await assert.rejects(read(formOf([], file, `filename="${'x'.repeat(30_000)}"`), 100_000), tooLarge);
  assert.equal((await read(formOf([['a', 'x'.repeat(20_000)]], file), 4096)).file.toString(), 'x');
});

test('fields after the file are not looked at, but are bounded too', async () => {
  const body = formOf([['key', 'a']], Buffer.from('x'))
    .toString()
    .replace(/--\r\n$/, '\r\n');
  const more = (size: number) => Buffer.from(`${body}${'y'.repeat(size)}`);
  assert.equal((await read(more(1000))).file.toString(), 'x');
  await assert.rejects(read(more(70_000), 4096), { code: 'MalformedPOSTRequest' });
});

test('a file is called by its name alone', async () => {
  const nameOf = async (head: string) => (await read(formOf([], Buffer.from('x'), head))).filename;
  assert.equal(await nameOf('filename="C:\\clips\\a.mp4"'), 'a.mp4');
  assert.equal(await nameOf('filename="../../a"'), 'a');
  assert.equal(await nameOf('filename="a%22b.mp4"'), 'a"b.mp4');
  assert.equal(await nameOf('filename="a\\"b.mp4"'), 'a"b.mp4');
  assert.equal(await nameOf('other=1'), '');
});

test('the boundary is read from the content type, quoted or not', () => {
  assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc');
  assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b:c"'), 'a b:c');
  assert.equal(boundaryOf('multipart/form-data'), undefined);
  assert.equal(boundaryOf('multipart/mixed; boundary=abc'), undefined);
  assert.equal(boundaryOf(`multipart/form-data; boundary=${'a'.repeat(71)}`), undefined);
});
