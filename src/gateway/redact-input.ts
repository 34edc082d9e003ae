import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';

const MAX_STRING = 1024;
const MAX_ITEMS = 50;
const MAX_DEPTH = 6;

/**
 * Makes a function that turns an operation's input into what the audit log may keep: blobs, streams and members that
 * the schema or the operation calls sensitive are left out, long texts are cut.
 */
export function inputRedactor(
  operation: StaticOperationSchema,
  secretMembers: readonly string[],
): (input: unknown) => Record<string, unknown> | undefined {
  const schema = NormalizedSchema.of(operation[4]);
  const secret = new Set(secretMembers);
  return (input) => {
    if (typeof input !== 'object' || input === null || !schema.isStructSchema()) return undefined;
    const result: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(input)) {
      if (value === undefined || secret.has(name)) continue;
      const member = memberOf(schema, name);
      const kept = member === undefined ? undefined : redact(value, member, 0);
      if (kept !== undefined) result[name] = kept;
    }
    return result;
  };
}

function memberOf(schema: NormalizedSchema, name: string): NormalizedSchema | undefined {
  return schema.getMemberSchemas()[name];
}

// INVARIANT: a value is kept only when its schema is known and not sensitive; whatever is unforeseen is dropped.
function redact(value: unknown, schema: NormalizedSchema, depth: number): unknown {
  const traits = schema.getMergedTraits();
  if (traits.sensitive !== undefined || schema.isBlobSchema() || schema.isStreaming() || depth > MAX_DEPTH)
    return undefined;
  if (typeof value === 'string') return value.length > MAX_STRING ? `${value.slice(0, MAX_STRING)}…` : value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) {
    if (!schema.isListSchema()) return undefined;
    const item = schema.getValueSchema();
    return value.slice(0, MAX_ITEMS).map((entry) => redact(entry, item, depth + 1));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const result: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value).slice(0, MAX_ITEMS)) {
    const member = schema.isStructSchema()
      ? memberOf(schema, name)
      : schema.isMapSchema()
        ? schema.getValueSchema()
        : undefined;
    if (member !== undefined) result[name] = redact(entry, member, depth + 1);
  }
  return result;
}
