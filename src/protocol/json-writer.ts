import type { NormalizedSchema } from '@smithy/core/schema';
import { asRecord, compilePerSchema, setEntry } from './per-schema.ts';
import { formatTimestamp, type TimestampFormat, timestampFormatOf } from './scalars.ts';

type JsonWriter = (value: unknown) => unknown;

/** Makes writers that turn outputs into values for JSON.stringify. Members that are absent or null are left out. */
export function jsonWriters(standard: TimestampFormat = 'epoch-seconds'): (schema: NormalizedSchema) => JsonWriter {
  return compilePerSchema<[unknown], unknown>((schema, compile) => {
    if (schema.isStructSchema()) return structureWriter(schema, schema.structIterator(), compile);
    if (schema.isListSchema()) {
      const writeItem = compile(schema.getValueSchema());
      return (value) => (Array.isArray(value) ? value.map(writeItem) : unfit(schema, value));
    }
    if (schema.isMapSchema()) {
      const writeValue = compile(schema.getValueSchema());
      return (value) => {
        const result: Record<string, unknown> = {};
        for (const [key, entry] of Object.entries(asRecord(value) ?? unfit(schema, value))) {
          if (entry !== undefined && entry !== null) setEntry(result, key, writeValue(entry));
        }
        return result;
      };
    }
    if (schema.isBlobSchema()) return (value) => (value instanceof Uint8Array ? base64Of(value) : unfit(schema, value));
    if (schema.isTimestampSchema()) return timestampWriter(schema, standard);
    if (schema.isNumericSchema()) {
      return (value) =>
        typeof value === 'number' ? (Number.isFinite(value) ? value : String(value)) : unfit(schema, value);
    }
    if (schema.isStringSchema()) return (value) => (typeof value === 'string' ? value : unfit(schema, value));
    return (value) => value;
  });
}

/** Writes the given members of a structure; with a REST binding these are only some of an output's. */
export function structureWriter(
  schema: NormalizedSchema,
  memberSchemas: Iterable<readonly [string, NormalizedSchema]>,
  compile: (schema: NormalizedSchema) => JsonWriter,
): JsonWriter {
  const members: { readonly name: string; readonly wireName: string; readonly write: JsonWriter }[] = [];
  for (const [name, member] of memberSchemas) {
    members.push({ name, wireName: member.getMergedTraits().jsonName ?? name, write: compile(member) });
  }
  return (value) => {
    const source = asRecord(value) ?? unfit(schema, value);
    const result: Record<string, unknown> = {};
    for (const { name, wireName, write } of members) {
      const given = source[name];
      if (given !== undefined && given !== null) result[wireName] = write(given);
    }
    return result;
  };
}

function timestampWriter(schema: NormalizedSchema, standard: TimestampFormat): JsonWriter {
  const format = timestampFormatOf(schema.getSchema(), standard);
  return (value) => {
    if (!(value instanceof Date)) return unfit(schema, value);
    return format === 'epoch-seconds' ? value.getTime() / 1000 : formatTimestamp(value, format);
  };
}

export function base64Of(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

/** A handler returned something else than its output type says: our fault, told without the value. */
export function unfit(schema: NormalizedSchema, value: unknown): never {
  const name = schema.isMemberSchema() ? schema.getMemberName() : schema.getName();
  throw new TypeError(
    `An output's ${name ?? 'member'} can not be written: it is ${value === null ? 'null' : typeof value}.`,
  );
}
