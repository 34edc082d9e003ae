import type { NormalizedSchema } from '@smithy/core/schema';
import { asRecord, compilePerSchema, setEntry } from './per-schema.ts';

type Redactor = (value: unknown) => unknown;

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/**
 * Makes writers of inputs for the audit log, in CloudTrail's form: names begin with a lower-case letter.
 *
 * INVARIANT: no member that the schema marks as sensitive, no blob and no payload gets through.
 */
export function redactors(): (schema: NormalizedSchema) => Redactor {
  return compilePerSchema<[unknown], unknown>((schema, compile) => {
    if (schema.isStreaming() || schema.isBlobSchema()) return () => undefined;
    if (schema.getMergedTraits().sensitive) return () => HIDDEN;
    if (schema.isStructSchema()) return structureRedactor(schema, compile);
    if (schema.isListSchema()) {
      const redactItem = memberRedactor(schema.getValueSchema(), compile);
      return (value) => (Array.isArray(value) ? value.map(redactItem) : undefined);
    }
    if (schema.isMapSchema()) {
      const redactValue = memberRedactor(schema.getValueSchema(), compile);
      return (value) => {
        const result: Record<string, unknown> = {};
        for (const [key, entry] of Object.entries(asRecord(value) ?? {})) setEntry(result, key, redactValue(entry));
        return result;
      };
    }
    return (value) => (value instanceof Date ? value.toISOString() : value);
  });
}

/** A member can be sensitive although its target is not; what is compiled per target must not forget that. */
function memberRedactor(member: NormalizedSchema, compile: (schema: NormalizedSchema) => Redactor): Redactor {
  if (member.isStreaming() || member.isBlobSchema()) return () => undefined;
  return member.getMergedTraits().sensitive ? () => HIDDEN : compile(member);
}

function structureRedactor(schema: NormalizedSchema, compile: (schema: NormalizedSchema) => Redactor): Redactor {
  const members: { readonly name: string; readonly shownName: string; readonly redact: Redactor }[] = [];
  for (const [name, member] of schema.structIterator()) {
    const shownName = name.charAt(0).toLowerCase() + name.slice(1);
    members.push({ name, shownName, redact: memberRedactor(member, compile) });
  }
  return (value) => {
    const source = asRecord(value) ?? {};
    const result: Record<string, unknown> = {};
    for (const { name, shownName, redact } of members) {
      const given = source[name];
      const shown = given === undefined || given === null ? undefined : redact(given);
      if (shown !== undefined) result[shownName] = shown;
    }
    return result;
  };
}
