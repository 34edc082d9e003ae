import { isUtf8 } from 'node:buffer';
import type { NormalizedSchema } from '@smithy/core/schema';
import { DecodeFailure, failureWithin } from './decode-failure.ts';
import { asRecord, compilePerSchema, setEntry } from './per-schema.ts';
import {
  checkText,
  dateFromSeconds,
  parseBase64,
  parseTimestamp,
  type TimestampFormat,
  timestampFormatOf,
} from './scalars.ts';

type JsonReader = (value: unknown) => unknown;

/**
 * Makes readers of parsed JSON values: strict about types, deaf to members that the schema does not know, as most of
 * AWS's services are.
 *
 * @param standard the format of timestamps whose schema names none
 * @param refusesUnknown whether members that the schema does not know are refused
 */
export function jsonReaders(
  standard: TimestampFormat = 'epoch-seconds',
  refusesUnknown = false,
): (schema: NormalizedSchema) => JsonReader {
  return compilePerSchema<[unknown], unknown>((schema, compile) => {
    if (schema.isStructSchema()) {
      return structureReader(schema.structIterator(), schema.isUnionSchema(), compile, refusesUnknown);
    }
    if (schema.isListSchema()) return listReader(compile(schema.getValueSchema()));
    if (schema.isMapSchema()) return mapReader(compile(schema.getValueSchema()));
    if (schema.isStringSchema()) return readString;
    if (schema.isBooleanSchema()) return readBoolean;
    if (schema.isNumericSchema()) return readNumber;
    if (schema.isBlobSchema()) return readBlob;
    if (schema.isTimestampSchema()) return timestampReader(timestampFormatOf(schema.getSchema(), standard));
    return (value) => value;
  });
}

/** Reads a structure of the given members; with a REST binding these are only some of an input's. */
export function structureReader(
  memberSchemas: Iterable<readonly [string, NormalizedSchema]>,
  isUnion: boolean,
  compile: (schema: NormalizedSchema) => JsonReader,
  refusesUnknown = false,
): (value: unknown) => Record<string, unknown> {
  const members: { readonly name: string; readonly wireName: string; readonly read: JsonReader }[] = [];
  for (const [name, member] of memberSchemas) {
    members.push({ name, wireName: member.getMergedTraits().jsonName ?? name, read: compile(member) });
  }
  const known = refusesUnknown ? new Set(members.map(({ wireName }) => wireName)) : undefined;
  return (value) => {
    const source = asRecord(value);
    if (source === undefined) throw new DecodeFailure(`${describe(value)} can not be converted to a structure`);
    const unknown = known === undefined ? undefined : Object.keys(source).find((name) => !known.has(name));
    if (unknown !== undefined) throw new DecodeFailure(`There is no member '${unknown.slice(0, 128)}'`);
    const result: Record<string, unknown> = {};
    let count = 0;
    let current = '';
    try {
      for (const member of members) {
        const given = Object.hasOwn(source, member.wireName) ? source[member.wireName] : undefined;
        if (given === undefined || given === null) continue;
        current = member.wireName;
        result[member.name] = member.read(given);
        count += 1;
      }
    } catch (error) {
      throw failureWithin(current, error);
    }
    if (isUnion && count !== 1) throw new DecodeFailure('A union must have exactly one member');
    return result;
  };
}

function listReader(readItem: JsonReader): JsonReader {
  return (value) => {
    if (!Array.isArray(value)) throw new DecodeFailure(`${describe(value)} can not be converted to a list`);
    const items: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      try {
        items.push(readItem(value[index]));
      } catch (error) {
        throw failureWithin(index, error);
      }
    }
    return items;
  };
}

function mapReader(readValue: JsonReader): JsonReader {
  return (value) => {
    const source = asRecord(value);
    if (source === undefined) throw new DecodeFailure(`${describe(value)} can not be converted to a map`);
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(source)) {
      const given = source[key];
      if (given === null) continue;
      try {
        setEntry(result, checkText(key), readValue(given));
      } catch (error) {
        throw failureWithin(key, error);
      }
    }
    return result;
  };
}

function readString(value: unknown): string {
  if (typeof value !== 'string') throw new DecodeFailure(`${describe(value)} can not be converted to a String`);
  return checkText(value);
}

function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new DecodeFailure(`${describe(value)} can not be converted to a Boolean`);
  return value;
}

function readNumber(value: unknown): number {
  // JSON.parse gives Infinity for 1e999; AWS refuses what does not fit.
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  throw new DecodeFailure(`${describe(value)} can not be converted to a Number`);
}

function readBlob(value: unknown): Buffer {
  if (typeof value !== 'string') throw new DecodeFailure(`${describe(value)} can not be converted to a Blob`);
  return parseBase64(value);
}

function timestampReader(format: TimestampFormat): JsonReader {
  return (value) => {
    if (format !== 'epoch-seconds' && typeof value === 'string') return parseTimestamp(value, format);
    const date = format === 'epoch-seconds' && typeof value === 'number' ? dateFromSeconds(value) : undefined;
    if (date === undefined) throw new DecodeFailure(`${describe(value)} can not be converted to a Timestamp`);
    return date;
  };
}

function describe(value: unknown): string {
  if (value === null) return 'NULL_VALUE';
  if (Array.isArray(value)) return 'START_ARRAY';
  switch (typeof value) {
    case 'string':
      return 'STRING_VALUE';
    case 'number':
      return 'NUMBER_VALUE';
    case 'boolean':
      return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
    default:
      return 'START_OBJECT';
  }
}

/**
 * Parses a body of JSON; an empty one counts as an empty object.
 *
 * @throws DecodeFailure when it is not JSON in UTF-8
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw new DecodeFailure('The body is not valid UTF-8');
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value;
  } catch {
    // The engine's message quotes the text, which may hold secrets.
    throw new DecodeFailure('The body is not valid JSON');
  }
}
