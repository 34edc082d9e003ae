import { isUtf8 } from 'node:buffer';
import type { NormalizedSchema } from '@smithy/core/schema';
import { DecodeFailure } from './decode-failure.ts';
import { decodeMetadataValue, splitHeaderList } from './header-values.ts';
import { setEntry } from './per-schema.ts';
import type { QueryParameters } from './query-parameters.ts';
import { checkText, parseBoolean, parseHttpDate, parseTimestamp, timestampFormatOf } from './scalars.ts';

/** Request headers by their lower-case names, as `node:http` gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What an operation's input is made of. */
export interface RequestParts {
  /** Decoded labels of the path, from the router. */
  readonly labels: Readonly<Record<string, string>>;
  /** From the router; for awsQuery also the form's parameters, where the gateway has read them already. */
  readonly query: QueryParameters;
  readonly headers: RequestHeaders;
  /** The whole body, or an empty buffer where the payload is streamed. */
  readonly body: Buffer;
}

/** Reads the body into a member's value (a payload) or into several members. */
export interface BodyReaders {
  /** Reads the members that are bound to no other place. */
  readonly readMembers: (members: readonly (readonly [string, NormalizedSchema])[]) => BodyReader;
  /** Reads a structure that is the whole body. */
  readonly readPayload: (member: NormalizedSchema) => (body: Buffer) => unknown;
}

type BodyReader = (body: Buffer) => Readonly<Record<string, unknown>>;
type Step = (request: RequestParts, input: Record<string, unknown>) => void;

/** Compiles the HTTP bindings of an input: labels, query, headers and payload. */
export function compileHttpInput(
  input: NormalizedSchema,
  bodyReaders: BodyReaders,
): (request: RequestParts) => unknown {
  const steps: Step[] = [];
  const bodyMembers: (readonly [string, NormalizedSchema])[] = [];
  let hasPayload = false;
  for (const [name, member] of input.isStructSchema() ? input.structIterator() : []) {
    const traits = member.getMergedTraits();
    if (traits.httpPayload) hasPayload = true;
    if (traits.httpLabel) {
      steps.push(textStep(name, name, scalarReader(member), (request) => request.labels[name]));
    } else if (traits.httpQuery) {
      steps.push(queryStep(name, traits.httpQuery, member));
    } else if (traits.httpHeader) {
      steps.push(headerStep(name, traits.httpHeader.toLowerCase(), member));
    } else if (traits.httpPrefixHeaders !== undefined) {
      steps.push(prefixHeadersStep(name, traits.httpPrefixHeaders.toLowerCase()));
    } else if (traits.httpPayload) {
      const step = payloadStep(name, member, bodyReaders);
      if (step !== undefined) steps.push(step);
    } else {
      bodyMembers.push([name, member]);
    }
  }
  if (!hasPayload && bodyMembers.length > 0) {
    const readMembers = bodyReaders.readMembers(bodyMembers);
    steps.push((request, result) => Object.assign(result, readMembers(request.body)));
  }
  return (request) => {
    const result: Record<string, unknown> = {};
    for (const step of steps) step(request, result);
    return result;
  };
}

function textStep(
  name: string,
  wireName: string,
  read: (text: string) => unknown,
  find: (request: RequestParts) => string | undefined,
): Step {
  return (request, input) => {
    const text = find(request);
    if (text === undefined) return;
    try {
      const value = read(text);
      if (value !== undefined) input[name] = value;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      throw new DecodeFailure(error.reason, [wireName], { name: wireName, value: text });
    }
  };
}

function queryStep(name: string, wireName: string, member: NormalizedSchema): Step {
  if (member.isListSchema()) {
    const readItem = scalarReader(member.getValueSchema());
    return (request, input) => {
      const values = request.query.get(wireName);
      if (values !== undefined) input[name] = values.map(readItem);
    };
  }
  // A parameter that stands more than once counts with its first value, as in S3.
  return textStep(name, wireName, scalarReader(member), (request) => request.query.get(wireName)?.[0]);
}

function headerStep(name: string, wireName: string, member: NormalizedSchema): Step {
  const find = (request: RequestParts): string | undefined => {
    const value = request.headers[wireName];
    return typeof value === 'string' || value === undefined ? value : value.join(', ');
  };
  if (member.isListSchema()) {
    const readItem = scalarReader(member.getValueSchema());
    return textStep(name, wireName, (text) => splitHeaderList(text).map(readItem), find);
  }
  // A date that can not be read counts as absent (RFC 9110 says so of conditional requests; S3 takes any `Expires`).
  const isHttpDate = member.isTimestampSchema() && timestampFormatOf(member.getSchema(), 'http-date') === 'http-date';
  return textStep(name, wireName, isHttpDate ? parseHttpDate : scalarReader(member), find);
}

function prefixHeadersStep(name: string, prefix: string): Step {
  return (request, input) => {
    const result: Record<string, string> = {};
    for (const header of Object.keys(request.headers)) {
      if (!header.startsWith(prefix)) continue;
      const value = request.headers[header];
      if (value === undefined) continue;
      setEntry(
        result,
        header.slice(prefix.length),
        decodeMetadataValue(typeof value === 'string' ? value : value.join(',')),
      );
    }
    if (Object.keys(result).length > 0) input[name] = result;
  };
}

function payloadStep(name: string, member: NormalizedSchema, bodyReaders: BodyReaders): Step | undefined {
  if (member.isStreaming()) return undefined;
  const read = payloadReader(member, bodyReaders);
  return (request, input) => {
    if (request.body.length > 0) input[name] = read(request.body);
  };
}

function payloadReader(member: NormalizedSchema, bodyReaders: BodyReaders): (body: Buffer) => unknown {
  if (member.isBlobSchema()) return (body) => body;
  if (member.isStringSchema()) {
    return (body) => {
      if (!isUtf8(body)) throw new DecodeFailure('The body is not valid UTF-8');
      return body.toString('utf8');
    };
  }
  return bodyReaders.readPayload(member);
}

const INTEGER = /^[+-]?\d{1,18}$/;

/** Reads a label, a query parameter or a header. All numbers that AWS's REST services bind there are integers. */
function scalarReader(schema: NormalizedSchema): (text: string) => unknown {
  if (schema.isStringSchema()) return checkText;
  if (schema.isBooleanSchema()) return (text) => parseBoolean(text.trim());
  if (schema.isNumericSchema()) {
    return (text) => {
      if (!INTEGER.test(text.trim())) throw new DecodeFailure('The value is not an integer');
      return Number(text);
    };
  }
  if (schema.isTimestampSchema()) {
    const format = timestampFormatOf(schema.getSchema(), 'date-time');
    return (text) => parseTimestamp(text, format);
  }
  throw new Error(`${schema.getName() ?? 'This schema'} can not be bound to a part of the request.`);
}
