import type { NormalizedSchema } from '@smithy/core/schema';
import fc from 'fast-check';
import { timestampFormatOf } from '../scalars.ts';

/** How the bodies of a protocol carry text and numbers. */
export interface BodyDialect {
  readonly text: fc.Arbitrary<string>;
  readonly number: fc.Arbitrary<number>;
  /** Smallest number of items in lists and maps: some protocols can not tell an empty one from an absent one. */
  readonly minItems: number;
  readonly standardTimestamp: 'epoch-seconds' | 'date-time';
}

/** Every character that text in UTF-8 can have. */
export const anyText: fc.Arbitrary<string> = fc.string({ unit: 'binary', maxLength: 12 });

/** Characters that XML 1.0 can carry; the SDK's parser drops text that is nothing but space. */
export const xmlText: fc.Arbitrary<string> = anyText
  .map((text) =>
    // oxlint-disable-next-line no-control-regex -- these are what XML has no form for
    text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?'),
  )
  .filter((text) => text === '' || text.trim() !== '');

const headerText = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
  .map((text) => text.trim())
  .filter((text) => text !== '');
const labelText = anyText.filter((text) => text !== '');
const integer = fc.integer({ min: 0, max: 1_000_000_000 });
const seconds = integer.map((value) => new Date(value * 1000));
const milliseconds = fc.integer({ min: 0, max: 4_000_000_000_000 }).map((value) => new Date(value));

/** What stands between bodies and bindings: everything that can be part of a request or an answer. */
export function structureArbitrary(
  schema: NormalizedSchema,
  dialect: BodyDialect,
  omit: ReadonlySet<string> = new Set(),
): fc.Arbitrary<Record<string, unknown>> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  const requiredKeys: string[] = [];
  const structure: unknown = schema.getSchema();
  const requiredCount = Array.isArray(structure) ? Number(structure[6] ?? 0) : 0;
  let index = 0;
  for (const [name, member] of schema.isStructSchema() ? schema.structIterator() : []) {
    const isRequired = index < requiredCount;
    index += 1;
    if (member.isStreaming() || omit.has(name)) continue;
    members[name] = memberArbitrary(member, dialect);
    // Absent tokens are filled in by the SDK.
    if (isRequired || member.isIdempotencyToken()) requiredKeys.push(name);
  }
  if (schema.isUnionSchema()) {
    return fc.oneof(...Object.entries(members).map(([name, value]) => value.map((given) => ({ [name]: given }))));
  }
  // Few members at a time keep structures small; one is kept where an empty structure would be lost.
  const optional = Object.keys(members).filter((name) => !requiredKeys.includes(name));
  const minLength = dialect.minItems > 0 && requiredKeys.length === 0 && optional.length > 0 ? 1 : 0;
  return fc.subarray(optional, { minLength, maxLength: Math.min(4, optional.length) }).chain((kept) => {
    const chosen = Object.entries(members).filter(([name]) => requiredKeys.includes(name) || kept.includes(name));
    return fc.record(Object.fromEntries(chosen));
  });
}

function memberArbitrary(member: NormalizedSchema, dialect: BodyDialect): fc.Arbitrary<unknown> {
  const traits = member.getMergedTraits();
  if (traits.httpLabel) {
    if (member.getMemberName() === 'Bucket') return fc.stringMatching(/^[a-z0-9]{3,20}$/);
    return member.isStringSchema() ? labelText : integer;
  }
  if (traits.httpHeader || traits.httpQuery) return boundArbitrary(member, traits.httpHeader ? headerText : anyText);
  if (traits.httpPrefixHeaders !== undefined) {
    return fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/), headerText, { minKeys: 1, maxKeys: 3 });
  }
  if (traits.httpPayload && member.isStringSchema()) return anyText.filter((text) => text !== '');
  if (traits.httpPayload && member.isBlobSchema()) return fc.uint8Array({ minLength: 1, maxLength: 16 });
  return valueArbitrary(member, dialect);
}

function boundArbitrary(member: NormalizedSchema, text: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  if (member.isListSchema())
    return fc.array(boundArbitrary(member.getValueSchema(), text), { minLength: 1, maxLength: 3 });
  if (member.isStringSchema()) return text;
  if (member.isBooleanSchema()) return fc.boolean();
  if (member.isTimestampSchema()) return seconds;
  return integer;
}

function valueArbitrary(schema: NormalizedSchema, dialect: BodyDialect): fc.Arbitrary<unknown> {
  if (schema.isStructSchema()) return structureArbitrary(schema, dialect);
  if (schema.isListSchema()) {
    return fc.array(valueArbitrary(schema.getValueSchema(), dialect), { minLength: dialect.minItems, maxLength: 3 });
  }
  if (schema.isMapSchema()) {
    const value = valueArbitrary(schema.getValueSchema(), dialect);
    const keys = dialect.text.filter((text) => text !== '__proto__');
    return fc.dictionary(keys, value, { minKeys: dialect.minItems, maxKeys: 3 });
  }
  if (schema.isStringSchema()) return dialect.text;
  if (schema.isBooleanSchema()) return fc.boolean();
  if (schema.isNumericSchema()) return dialect.number;
  if (schema.isBlobSchema()) return fc.uint8Array({ maxLength: 16 });
  if (schema.isTimestampSchema()) {
    const format = timestampFormatOf(schema.getSchema(), dialect.standardTimestamp);
    return format === 'http-date' ? seconds : milliseconds;
  }
  return fc.constant('text');
}
