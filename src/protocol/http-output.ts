import { Readable } from 'node:stream';
import type { NormalizedSchema } from '@smithy/core/schema';
import { encodeMetadataValue, headerSafe, quoteHeaderItem } from './header-values.ts';
import { unfit } from './json-writer.ts';
import { asRecord } from './per-schema.ts';
import { formatTimestamp, timestampFormatOf } from './scalars.ts';

/** An answer, ready for the socket. Has either a body or a stream, or neither. */
export interface EncodedResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
  /** The streaming member of the output. */
  readonly stream: Readable | undefined;
}

/** Writes the body from members or from one member that is the whole of it. */
export interface BodyWriters {
  readonly contentType: string;
  readonly writeMembers: (
    output: NormalizedSchema,
    members: readonly (readonly [string, NormalizedSchema])[],
  ) => (output: Readonly<Record<string, unknown>>) => string;
  readonly writePayload: (member: NormalizedSchema) => (value: unknown) => string;
}

type HeaderStep = (output: Readonly<Record<string, unknown>>, headers: Record<string, string>) => void;
type Body = Pick<EncodedResponse, 'body' | 'stream'> & { readonly contentType?: string };

const EMPTY: Body = { body: undefined, stream: undefined };

/** Compiles the HTTP bindings of an output: headers, prefix headers and payload. */
export function compileHttpOutput(
  output: NormalizedSchema,
  status: number,
  writers: BodyWriters,
): (output: unknown) => EncodedResponse {
  const headerSteps: HeaderStep[] = [];
  const bodyMembers: (readonly [string, NormalizedSchema])[] = [];
  let writeBody: (output: Readonly<Record<string, unknown>>) => Body = () => EMPTY;
  let hasPayload = false;
  for (const [name, member] of output.isStructSchema() ? output.structIterator() : []) {
    const traits = member.getMergedTraits();
    if (traits.httpHeader) {
      headerSteps.push(headerStep(name, traits.httpHeader, member));
    } else if (traits.httpPrefixHeaders !== undefined) {
      headerSteps.push(prefixHeadersStep(name, traits.httpPrefixHeaders, member));
    } else if (traits.httpPayload) {
      hasPayload = true;
      writeBody = payloadWriter(name, member, writers);
    } else {
      bodyMembers.push([name, member]);
    }
  }
  if (!hasPayload && bodyMembers.length > 0) {
    const write = writers.writeMembers(output, bodyMembers);
    writeBody = (source) => ({ ...EMPTY, body: Buffer.from(write(source), 'utf8'), contentType: writers.contentType });
  }
  return (value) => {
    const source = asRecord(value) ?? {};
    const { body, stream, contentType } = writeBody(source);
    const headers: Record<string, string> = {};
    if (contentType !== undefined) headers['content-type'] = contentType;
    for (const step of headerSteps) step(source, headers);
    return { status, headers, body, stream };
  };
}

function payloadWriter(
  name: string,
  member: NormalizedSchema,
  writers: BodyWriters,
): (output: Readonly<Record<string, unknown>>) => Body {
  if (member.isStructSchema() && !member.isStreaming()) {
    const write = writers.writePayload(member);
    return (output) => {
      const value = output[name];
      if (value === undefined || value === null) return EMPTY;
      return { ...EMPTY, body: Buffer.from(write(value), 'utf8'), contentType: writers.contentType };
    };
  }
  return (output) => {
    const value = output[name];
    if (value === undefined || value === null) return EMPTY;
    if (value instanceof Readable) return { body: undefined, stream: value };
    if (value instanceof Uint8Array) {
      return { ...EMPTY, body: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
    }
    return { ...EMPTY, body: Buffer.from(typeof value === 'string' ? value : unfit(member, value), 'utf8') };
  };
}

function headerStep(name: string, headerName: string, member: NormalizedSchema): HeaderStep {
  const wireName = headerName.toLowerCase();
  const write = headerWriter(member);
  return (output, headers) => {
    const value = output[name];
    if (value !== undefined && value !== null) headers[wireName] = write(value);
  };
}

function prefixHeadersStep(name: string, prefix: string, member: NormalizedSchema): HeaderStep {
  return (output, headers) => {
    const value = output[name];
    if (value === undefined || value === null) return;
    for (const [key, text] of Object.entries(asRecord(value) ?? unfit(member, value))) {
      // INVARIANT: a key can not end the header; node:http refuses names that are not tokens, so leave those out.
      if (typeof text === 'string' && TOKEN.test(key)) headers[prefix + key.toLowerCase()] = encodeMetadataValue(text);
    }
  };
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function headerWriter(schema: NormalizedSchema): (value: unknown) => string {
  if (schema.isListSchema()) {
    const writeItem = headerWriter(schema.getValueSchema());
    return (value) =>
      Array.isArray(value) ? value.map((item) => quoteHeaderItem(writeItem(item))).join(', ') : unfit(schema, value);
  }
  if (schema.isStringSchema()) return (value) => (typeof value === 'string' ? headerSafe(value) : unfit(schema, value));
  if (schema.isTimestampSchema()) {
    const format = timestampFormatOf(schema.getSchema(), 'http-date');
    return (value) => (value instanceof Date ? formatTimestamp(value, format) : unfit(schema, value));
  }
  return (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : unfit(schema, value));
}
