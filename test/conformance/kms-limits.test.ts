import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as sdk from '@aws-sdk/client-kms';
import { NormalizedSchema } from '@smithy/core/schema';
import { type Constraint, operationSchemasOf } from '#kernel/service.ts';
import { constraints as ofModel } from '#services/kms/generated/constraints.ts';
import { newerConstraints } from '#services/kms/newer-constraints.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, errorMessageOf, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

const constraints = { ...ofModel, ...newerConstraints };

/** One value of one member, and what must be said of it. */
interface Probe {
  readonly operation: string;
  readonly member: string;
  readonly what: string;
  readonly value: unknown;
  /** The words of the refusal; absent where the value is within its limits. */
  readonly refusal?: string;
}

/** A value of a length, or a number, as JSON has it. */
function valueOf(schema: NormalizedSchema, size: number): unknown {
  if (schema.isNumericSchema()) return size;
  if (schema.isBlobSchema()) return Buffer.alloc(size, 7).toString('base64');
  if (schema.isListSchema()) return Array.from({ length: size }, () => sample(schema.getValueSchema()));
  if (schema.isMapSchema())
    return Object.fromEntries(Array.from({ length: size }, (_, index) => [`key-${index}`, 'a']));
  return 'a'.repeat(size);
}

function sample(schema: NormalizedSchema): unknown {
  return schema.isStructSchema() ? { TagKey: 'a', TagValue: 'a' } : 'a';
}

function probesOf(operation: string, member: string, schema: NormalizedSchema, constraint: Constraint): Probe[] {
  const { min, max, required, isInteger } = constraint;
  const probe = (what: string, value: unknown, refusal?: string): Probe =>
    refusal === undefined ? { operation, member, what, value } : { operation, member, what, value, refusal };
  const measure = constraint.isNumeric === true ? 'value' : 'length';
  const probes: Probe[] = [];
  if (required === true) probes.push(probe('absent', undefined, 'Member must not be null'));
  if (min !== undefined && min > 0) {
    const refusal = `Member must have ${measure} greater than or equal to ${min}`;
    probes.push(
      probe('below its least', valueOf(schema, min - 1), refusal),
      probe('at its least', valueOf(schema, min)),
    );
  }
  if (max !== undefined) {
    const refusal = `Member must have ${measure} less than or equal to ${max}`;
    probes.push(probe('at its most', valueOf(schema, max)), probe('above its most', valueOf(schema, max + 1), refusal));
  }
  if (constraint.enum !== undefined && schema.isStringSchema()) {
    const refusal = 'Member must satisfy enum value set: [';
    probes.push(probe('none of its values', 'NEITHER_NOR', refusal));
    for (const value of constraint.enum) probes.push(probe(`its value ${value}`, value));
  }
  if (isInteger === true) probes.push(probe('a fraction', (min ?? 0) + 0.5, 'Member must be an integer'));
  if (constraint.pattern !== undefined && schema.isStringSchema()) {
    const refusal = 'Member must satisfy regular expression pattern: ';
    const odd = '\u{1F511}'.repeat(Math.max(1, Math.ceil((min ?? 1) / 2)));
    probes.push(probe('of other characters', odd, refusal));
  }
  return probes;
}

/** What a member of another type can be; none of them is taken for what it is not. */
const OF_OTHER_TYPES: readonly unknown[] = [true, 7.5, 'text', ['a'], { a: 'b' }];

function isOfType(schema: NormalizedSchema, value: unknown): boolean {
  if (schema.isBooleanSchema()) return typeof value === 'boolean';
  if (schema.isNumericSchema()) return typeof value === 'number';
  if (schema.isTimestampSchema()) return typeof value === 'number' || typeof value === 'string';
  if (schema.isBlobSchema()) return typeof value === 'string';
  if (schema.isStringSchema()) return typeof value === 'string';
  if (schema.isListSchema()) return Array.isArray(value);
  return typeof value === 'object' && !Array.isArray(value);
}

describe('every member of every input of KMS', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
  });
  after(() => platform.stop());

  function send(operation: string, input: unknown): Promise<RawResponse> {
    const { endpoint, credentials } = platform.clientConfig();
    const headers = [['X-Amz-Target', `TrentService.${operation}`]] as const;
    const body = Buffer.from(JSON.stringify(input));
    const host = new URL(endpoint).host;
    const request = { method: 'POST', path: '/', headers, body };
    return sendRaw(endpoint, signHeader(request, { credentials, service: 'kms', host }));
  }

  function* members(): Generator<readonly [operation: string, member: string, schema: NormalizedSchema]> {
    for (const schema of operationSchemasOf(sdk)) {
      for (const [member, of] of NormalizedSchema.of(schema[4]).structIterator()) yield [schema[2], member, of];
    }
  }

  const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

  it('is taken at its limits, and refused by name below and above them', async () => {
    const probes = [...members()].flatMap(([operation, member, schema]) => {
      const constraint = constraints[`${operation}Request`]?.[member];
      return constraint === undefined ? [] : probesOf(operation, member, schema, constraint);
    });
    assert.ok(probes.length > 500, `${probes.length} probes`);
    for (const { operation, member, what, value, refusal } of probes) {
      const about = `${operation} with ${member} ${what}`;
      const response = await send(operation, { [member]: value });
      const text = errorMessageOf(response) ?? '';
      const found = text.split('; ').filter((part) => part.includes(` at '${lowerFirst(member)}' failed`));
      if (refusal === undefined) {
        const isLimit = /length|value (greater|less)|enum|integer|null/;
        assert.deepEqual(
          found.filter((part) => isLimit.test(part.split('constraint: ').at(-1) ?? '')),
          [],
          about,
        );
        assert.notEqual(response.status, 500, about);
      } else {
        assert.deepEqual([response.status, errorCodeOf(response)], [400, 'ValidationException'], about);
        assert.ok(
          found.some((part) => part.includes(refusal)),
          `${about}: ${text.slice(0, 500)}`,
        );
      }
    }
  });

  it('is refused when it is of another type', async () => {
    let count = 0;
    for (const [operation, member, schema] of members()) {
      for (const value of OF_OTHER_TYPES) {
        if (isOfType(schema, value)) continue;
        count += 1;
        const response = await send(operation, { [member]: value });
        const about = `${operation} with ${member} ${JSON.stringify(value)}: ${response.body.toString().slice(0, 300)}`;
        assert.deepEqual([response.status, errorCodeOf(response)], [400, 'SerializationException'], about);
      }
    }
    assert.ok(count > 500, `${count} values`);
  });
});
