import { isUtf8 } from 'node:buffer';
import { malformedForm, noFile, preludeTooLarge, repeatedField } from './form-errors.ts';

/** All that stands before the file's first byte: fields, their heads, and the lines between them. */
const MAX_PRELUDE = 20 * 1024;
/** What may come after the file, and is not looked at. */
const MAX_EPILOGUE = 64 * 1024;
const DASH = 0x2d;
const CR = 0x0d;
const LF = 0x0a;

/** A form up to its file (RFC 7578); the fields by their names in lower case. */
export interface UploadForm {
  readonly fields: ReadonlyMap<string, string>;
  /** As the browser has it, without folders. */
  readonly filename: string;
  /** The file's bytes. Fails at its end where the form does not end as a form does. */
  readonly file: AsyncIterable<Uint8Array>;
}

/**
 * Reads a form up to its file, which is then read as a stream: nothing is held but the fields, and a chunk of the file.
 *
 * @param boundary as the content type gives it
 * @throws ServiceError MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument
 */
export async function readUploadForm(source: AsyncIterable<Uint8Array>, boundary: string): Promise<UploadForm> {
  const chunks = source[Symbol.asyncIterator]();
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first boundary stands at the very beginning, without the line's end before it.
  let held: Buffer = Buffer.from('\r\n');
  let taken = -2;
  const more = async (): Promise<void> => {
    const { done, value } = await chunks.next();
    if (done === true) throw malformedForm();
    held = Buffer.concat([held, value]);
  };
  const until = async (mark: Buffer): Promise<Buffer> => {
    for (;;) {
      const at = held.indexOf(mark);
      if ((at < 0 ? held.length : at) + taken > MAX_PRELUDE) throw preludeTooLarge(MAX_PRELUDE);
      if (at >= 0) {
        const piece = Buffer.from(held.subarray(0, at));
        held = held.subarray(at + mark.length);
        taken += at + mark.length;
        return piece;
      }
      await more();
    }
  };
  const fields = new Map<string, string>();
  if ((await until(delimiter)).length > 0) throw malformedForm();
  for (;;) {
    while (held.length < 2) await more();
    if (held[0] === DASH && held[1] === DASH) throw noFile();
    if (held[0] !== CR || held[1] !== LF) throw malformedForm();
    // The line's end stays: it ends a head that has no lines, too.
    const head = (await until(Buffer.from('\r\n\r\n'))).subarray(2);
    const { name, filename } = readHead(head);
    if (name === 'file') {
      const rest = held;
      return { fields, filename: baseName(filename ?? ''), file: fileOf(chunks, delimiter, rest) };
    }
    const value = await valueUntil(until, delimiter);
    if (fields.has(name)) throw repeatedField(name);
    fields.set(name, value);
  }
}

async function valueUntil(until: (mark: Buffer) => Promise<Buffer>, delimiter: Buffer): Promise<string> {
  const value = await until(delimiter);
  if (!isUtf8(value)) throw malformedForm();
  return value.toString('utf8');
}

/** The boundary of a form's content type; `undefined` where it is none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\s*(;|$)/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

interface PartHead {
  readonly name: string;
  readonly filename: string | undefined;
}

function readHead(head: Buffer): PartHead {
  if (!isUtf8(head)) throw malformedForm();
  let disposition: string | undefined;
  for (const line of head.toString('utf8').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw malformedForm();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'content-disposition') {
      if (disposition !== undefined) throw malformedForm();
      disposition = value;
    } else if (name === 'content-transfer-encoding' && !/^(7bit|8bit|binary)$/i.test(value)) throw malformedForm();
  }
  if (disposition === undefined || !/^form-data\s*;/i.test(disposition)) throw malformedForm();
  const name = parameterOf(disposition, 'name');
  if (name === undefined || name === '') throw malformedForm();
  return { name: name.toLowerCase(), filename: parameterOf(disposition, 'filename') };
}

/** Browsers write `"` as `%22`, and line ends as `%0D%0A`; others put a backslash before quotes. */
function parameterOf(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(disposition);
  const text = match?.[1]?.replace(/\\(["\\])/g, '$1') ?? match?.[2];
  return text?.replace(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function baseName(filename: string): string {
  return filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
}

async function* fileOf(
  chunks: AsyncIterator<Uint8Array>,
  delimiter: Buffer,
  first: Buffer,
): AsyncGenerator<Uint8Array> {
  try {
    let held = first;
    for (;;) {
      const at = held.indexOf(delimiter);
      if (at >= 0) {
        // A copy: who takes a chunk may give its memory back.
        const rest = Buffer.from(held.subarray(at + delimiter.length));
        if (at > 0) yield held.subarray(0, at);
        await readEpilogue(chunks, rest);
        return;
      }
      const safe = held.length - delimiter.length + 1;
      if (safe > 0) {
        const rest = Buffer.from(held.subarray(safe));
        yield held.subarray(0, safe);
        held = rest;
      }
      const { done, value } = await chunks.next();
      if (done === true) throw malformedForm();
      held = Buffer.concat([held, value]);
    }
  } finally {
    await chunks.return?.();
  }
}

/** Fields after the file say nothing, as in AWS; but a form that was cut off is none. */
async function readEpilogue(chunks: AsyncIterator<Uint8Array>, first: Buffer): Promise<void> {
  let head = first;
  let size = first.length;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    size += value.length;
    if (size > MAX_EPILOGUE) throw malformedForm();
    if (head.length < 2) head = Buffer.concat([head, value]);
  }
  const isEnd = head[0] === DASH && head[1] === DASH;
  if (!isEnd && !(head[0] === CR && head[1] === LF)) throw malformedForm();
}
