import type { NormalizedSchema } from '@smithy/core/schema';

/**
 * Turns a builder of codecs into one that builds each structure, list and map once, and that copes with schemas that
 * contain themselves. Simple schemas are built anew each time: their traits belong to the member.
 */
export function compilePerSchema<Arguments extends readonly unknown[], Result>(
  build: (
    schema: NormalizedSchema,
    compile: (schema: NormalizedSchema) => (...args: Arguments) => Result,
  ) => (...args: Arguments) => Result,
): (schema: NormalizedSchema) => (...args: Arguments) => Result {
  const known = new Map<unknown, (...args: Arguments) => Result>();
  const compile = (schema: NormalizedSchema): ((...args: Arguments) => Result) => {
    const key = schema.getSchema();
    if (!Array.isArray(key)) return build(schema, compile);
    const existing = known.get(key);
    if (existing !== undefined) return existing;
    let target: ((...args: Arguments) => Result) | undefined;
    known.set(key, (...args) => {
      if (target === undefined) throw new Error(`${schema.getName() ?? 'A schema'} was used before it was compiled.`);
      return target(...args);
    });
    target = build(schema, compile);
    known.set(key, target);
    return target;
  };
  return compile;
}

/** Sets a key that came from a client. `__proto__` becomes an ordinary key instead of the object's prototype. */
export function setEntry(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    target[key] = value;
  }
}

/** A structure as a record of its members, or `undefined` for anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
