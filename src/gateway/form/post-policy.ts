import { againstPolicy, invalidPolicyDocument } from './form-errors.ts';

interface FieldCondition {
  readonly kind: 'eq' | 'starts-with';
  /** In lower case. */
  readonly field: string;
  readonly value: string;
  /** As it was written, for the refusal. */
  readonly text: string;
}

/** How many bytes a file may have; both bounds belong to the range. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

/** A policy that its maker has signed: what a form may say, and until when. */
export interface PostPolicy {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly conditions: readonly FieldCondition[];
  readonly size: SizeRange | undefined;
}

const EXPIRATION = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

/**
 * @param encoded in base64
 * @throws ServiceError InvalidPolicyDocument
 */
export function readPostPolicy(encoded: string): PostPolicy {
  const document = parse(encoded);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalidPolicyDocument('Policy missing expiration.');
  const expiresAt = typeof expiration === 'string' && EXPIRATION.test(expiration) ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expiresAt)) {
    throw invalidPolicyDocument(`Invalid 'expiration' value: ${JSON.stringify(expiration).slice(0, 64)}`);
  }
  if (!Array.isArray(conditions)) throw invalidPolicyDocument('Policy missing conditions.');
  const fields: FieldCondition[] = [];
  let size: SizeRange | undefined;
  for (const condition of conditions as unknown[]) {
    if (Array.isArray(condition)) {
      if (String(condition[0]).toLowerCase() === 'content-length-range') {
        const range = readRange(condition);
        size = size === undefined ? range : { min: Math.max(size.min, range.min), max: Math.min(size.max, range.max) };
      } else fields.push(readArray(condition));
    } else fields.push(...readObject(condition));
  }
  return { expiresAt, conditions: fields, size };
}

function parse(encoded: string): { readonly expiration?: unknown; readonly conditions?: unknown } {
  if (!/^[A-Za-z0-9+/=\s]*$/.test(encoded)) throw invalidPolicyDocument('Policy is not in base64.');
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  try {
    // A dollar may stand behind a backslash, which JSON does not know.
    const document: unknown = JSON.parse(text.replace(/\\([^])/g, (whole, next) => (next === '$' ? '$' : whole)));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document;
  } catch {
    // Said below.
  }
  throw invalidPolicyDocument('Invalid JSON.');
}

function readRange(condition: readonly unknown[]): SizeRange {
  const [min, max] = condition.slice(1).map((value) => (/^\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN));
  if (condition.length !== 3 || min === undefined || max === undefined || !(min <= max)) {
    throw invalidPolicyDocument('Invalid content-length-range condition: it takes a minimum and a maximum.');
  }
  return { min, max };
}

function readArray(condition: readonly unknown[]): FieldCondition {
  const [operator, field, value] = condition;
  const kind = String(operator).toLowerCase();
  if (kind !== 'eq' && kind !== 'starts-with') {
    throw invalidPolicyDocument(`Invalid Condition: unknown operation '${kind.slice(0, 32)}'.`);
  }
  if (condition.length !== 3 || typeof field !== 'string' || !field.startsWith('$') || typeof value !== 'string') {
    throw invalidPolicyDocument(`Invalid Condition: ${kind} takes a field, which begins with $, and a value.`);
  }
  return { kind, field: field.slice(1).toLowerCase(), value, text: JSON.stringify([kind, field, value]) };
}

function readObject(condition: unknown): FieldCondition[] {
  const entries = typeof condition === 'object' && condition !== null ? Object.entries(condition) : [];
  if (entries.length !== 1) {
    throw invalidPolicyDocument(
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    );
  }
  return entries.map(([field, value]: [string, unknown]) => {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw invalidPolicyDocument('Invalid Simple-Condition: value must be a string.');
    }
    const text = JSON.stringify(['eq', `$${field}`, String(value)]);
    return { kind: 'eq', field: field.toLowerCase(), value: String(value), text };
  });
}

/** What a policy need not name: the signature cannot cover itself, and the rest is the client's own. */
const FREE = new Set(['policy', 'signature', 'awsaccesskeyid', 'x-amz-signature', 'file']);

/**
 * Holds a form against its policy.
 *
 * INVARIANT: every field that acts is named by a condition, and every condition is met.
 *
 * @param fields by lower-case name, as they act
 * @throws ServiceError AccessDenied
 */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  now: number,
): void {
  if (now >= policy.expiresAt) throw againstPolicy('Policy expired.');
  for (const condition of policy.conditions) {
    const given = condition.field === 'bucket' ? bucket : fields.get(condition.field);
    if (!isMet(condition, given)) throw againstPolicy(`Policy Condition failed: ${condition.text}`);
  }
  const named = new Set(policy.conditions.map(({ field }) => field));
  const extra = [...fields.keys()].filter((name) => {
    return !FREE.has(name) && !name.startsWith('x-ignore-') && !named.has(name);
  });
  if (extra.length > 0) throw againstPolicy(`Extra input fields: ${extra.join(', ')}`);
}

function isMet({ kind, field, value }: FieldCondition, given: string | undefined): boolean {
  if (kind === 'eq') return given === value;
  if (value === '') return true;
  if (given === undefined) return false;
  // Each type of a list must begin so.
  const items = field === 'content-type' ? given.split(',').map((item) => item.trim()) : [given];
  return items.every((item) => item.startsWith(value));
}
