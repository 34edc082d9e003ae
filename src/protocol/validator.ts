import type { NormalizedSchema } from '@smithy/core/schema';
import type { Constraint, Constraints, Violation } from '#kernel/service.ts';
import { asRecord } from './per-schema.ts';

type Path = readonly (string | number)[];
type Check = (value: unknown, path: Path, violations: Violation[]) => void;

/** Enough for a client to see what is wrong; a hostile input does not make an answer without end. */
const MAX_VIOLATIONS = 50;

/** Compiles the checks of a service's inputs from its generated constraints and the schemas' required members. */
export function compileValidators(
  constraints: Constraints,
): (input: NormalizedSchema) => (input: unknown) => readonly Violation[] {
  const checkOf = checks(constraints);
  return (schema) => {
    const check = schema.isUnitSchema() ? undefined : checkOf(schema, schema.getName() ?? '');
    if (check === undefined) return () => [];
    return (input) => {
      const violations: Violation[] = [];
      check(input, [], violations);
      return violations;
    };
  };
}

/** Makes the check of what lies inside a structure, list or map; `undefined` where there is nothing to check. */
function checks(constraints: Constraints): (schema: NormalizedSchema, place: string) => Check | undefined {
  const known = new Map<unknown, Check | undefined>();
  const compile = (schema: NormalizedSchema, place: string): Check | undefined => {
    const key = schema.getSchema();
    if (!Array.isArray(key)) return build(schema, place);
    if (known.has(key)) return known.get(key);
    let target: Check | undefined;
    known.set(key, (value, path, violations) => target?.(value, path, violations));
    target = build(schema, schema.getName() ?? place);
    known.set(key, target);
    return target;
  };
  const build = (schema: NormalizedSchema, place: string): Check | undefined => {
    if (schema.isStreaming()) return undefined;
    const own = constraints[place];
    if (schema.isStructSchema()) return structureCheck(schema, place, own, compile);
    if (schema.isListSchema()) {
      const checkItem = valueCheck(
        schema.getValueSchema(),
        own?.member,
        compile(schema.getValueSchema(), `${place}.member`),
      );
      return checkItem === undefined ? undefined : listCheck(checkItem);
    }
    if (schema.isMapSchema()) {
      const checkKey = valueCheck(schema.getKeySchema(), own?.key, undefined);
      const checkValue = valueCheck(
        schema.getValueSchema(),
        own?.value,
        compile(schema.getValueSchema(), `${place}.value`),
      );
      return checkKey === undefined && checkValue === undefined ? undefined : mapCheck(checkKey, checkValue);
    }
    return undefined;
  };
  return compile;
}

type Compile = (schema: NormalizedSchema, place: string) => Check | undefined;

const MAX_LENGTH_FOR_PATTERN = 4096;

const REQUIRED: Constraint = { required: true };

function structureCheck(
  schema: NormalizedSchema,
  place: string,
  own: Readonly<Record<string, Constraint>> | undefined,
  compile: Compile,
): Check | undefined {
  const members: {
    readonly name: string;
    readonly wireName: string;
    readonly check: Check | undefined;
    readonly required: Constraint | undefined;
  }[] = [];
  // The schemas list required members first and say how many there are.
  const requiredCount = requiredCountOf(schema);
  let index = 0;
  for (const [name, member] of schema.structIterator()) {
    const isRequired = index < requiredCount;
    index += 1;
    if (member.isStreaming()) continue;
    const constraint = own?.[name] ?? (isRequired ? REQUIRED : undefined);
    const check = valueCheck(member, constraint, compile(member, `${place}.${name}`));
    const required = constraint?.required === true || isRequired ? (constraint ?? REQUIRED) : undefined;
    if (check === undefined && required === undefined) continue;
    members.push({ name, wireName: wireNameOf(name, member), check, required });
  }
  if (members.length === 0) return undefined;
  return (value, path, violations) => {
    const source = asRecord(value) ?? {};
    for (const { name, wireName, check, required } of members) {
      if (violations.length >= MAX_VIOLATIONS) return;
      const given = source[name];
      if (given !== undefined && given !== null) {
        if (check !== undefined) check(given, [...path, wireName], violations);
      } else if (required !== undefined) {
        violations.push({ path: [...path, wireName], kind: 'required', constraint: required, value: undefined });
      }
    }
  };
}

/** The name by which the client knows the member: of a query parameter, a header, or in JSON. */
function wireNameOf(name: string, member: NormalizedSchema): string {
  const { jsonName, httpQuery, httpHeader } = member.getMergedTraits();
  return httpQuery ?? httpHeader ?? jsonName ?? name;
}

function requiredCountOf(schema: NormalizedSchema): number {
  const structure: unknown = schema.getSchema();
  const count: unknown = Array.isArray(structure) ? structure[6] : 0;
  return typeof count === 'number' ? count : 0;
}

function listCheck(checkItem: Check): Check {
  return (value, path, violations) => {
    if (!Array.isArray(value)) return;
    for (let index = 0; index < value.length && violations.length < MAX_VIOLATIONS; index++) {
      checkItem(value[index], [...path, index], violations);
    }
  };
}

function mapCheck(checkKey: Check | undefined, checkValue: Check | undefined): Check {
  return (value, path, violations) => {
    for (const [key, entry] of Object.entries(asRecord(value) ?? {})) {
      if (violations.length >= MAX_VIOLATIONS) return;
      checkKey?.(key, [...path, key], violations);
      checkValue?.(entry, [...path, key], violations);
    }
  };
}

/** Joins the check of a value itself with that of what lies inside it. */
function valueCheck(
  schema: NormalizedSchema,
  constraint: Constraint | undefined,
  inner: Check | undefined,
): Check | undefined {
  const own = constraint === undefined ? undefined : constraintCheck(schema, constraint);
  if (own === undefined || inner === undefined) return own ?? inner;
  return (value, path, violations) => {
    own(value, path, violations);
    inner(value, path, violations);
  };
}

function constraintCheck(schema: NormalizedSchema, constraint: Constraint): Check | undefined {
  const { min, max, isInteger = false } = constraint;
  const hasBounds = min !== undefined || max !== undefined;
  const tooSmall: Constraint = min === undefined ? {} : { min };
  const tooLarge: Constraint = max === undefined ? {} : { max };
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const pattern = constraint.pattern === undefined ? undefined : compilePattern(constraint.pattern);
  const values = constraint.enum === undefined ? undefined : new Set(constraint.enum);
  if (!hasBounds && !isInteger && pattern === undefined && values === undefined) return undefined;
  // INVARIANT: a violation of a sensitive member or of a blob does not carry its value: messages and logs show it.
  const isHidden = Boolean(schema.getMergedTraits().sensitive) || schema.isBlobSchema();
  return (value, path, violations) => {
    const report = (kind: Violation['kind'], broken: Constraint = constraint): void => {
      violations.push({ path, kind, constraint: broken, value: isHidden ? undefined : value });
    };
    if (typeof value === 'number') {
      if (isInteger && !Number.isInteger(value)) report('type');
      // Written so that NaN fails.
      else if (!(value >= low)) report('range', tooSmall);
      else if (!(value <= high)) report('range', tooLarge);
      return;
    }
    const length = hasBounds ? lengthOf(value, low, high) : low;
    if (length < low || length > high) {
      report('length', length < low ? tooSmall : tooLarge);
      // INVARIANT: patterns do not see text that is far too long, so that a costly one stays bounded.
      if (typeof value === 'string' && value.length > MAX_LENGTH_FOR_PATTERN) return;
    }
    if (typeof value !== 'string') return;
    if (pattern !== undefined && !pattern.test(value)) report('pattern');
    if (values !== undefined && !values.has(value)) report('enum');
  };
}

/** The length of a value: characters, bytes, items or entries; for long text a number beyond `high` is enough. */
function lengthOf(value: unknown, low: number, high: number): number {
  if (typeof value === 'string') {
    // A character outside the basic plane counts once but has two code units: count only where that matters.
    const units = value.length;
    return (units <= high && units >= low * 2) || units < low || units > high * 2 ? units : codePointsIn(value);
  }
  if (value instanceof Uint8Array) return value.byteLength;
  return Array.isArray(value) ? value.length : Object.keys(asRecord(value) ?? {}).length;
}

function codePointsIn(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

/**
 * AWS matches the whole value. Patterns are written for Java: most mean the same with the `u` flag, some are only valid
 * without it, and a few set a flag at their beginning, as in `(?s).*`.
 */
export function compilePattern(pattern: string): RegExp {
  const [prefix = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const whole = `^(?:${pattern.slice(prefix.length)})$`;
  try {
    return new RegExp(whole, `u${flags}`);
  } catch {
    return new RegExp(whole, flags);
  }
}
