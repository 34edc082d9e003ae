import type { Violation } from './service.ts';

/**
 * AWS's text for broken constraints, as KMS, IAM, STS, CloudTrail and others give it:
 * `1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length …`.
 */
export function validationErrorMessage(violations: readonly Violation[]): string {
  const details = violations.flatMap(violationTexts);
  return `${details.length} validation error${details.length === 1 ? '' : 's'} detected: ${details.join('; ')}`;
}

/** Where the value stands, as AWS spells it: `tags.1.member.tagKey`. */
function validationPath(path: Violation['path']): string {
  return path.map((segment) => (typeof segment === 'number' ? `${segment + 1}.member` : lowerFirst(segment))).join('.');
}

/** Where the value stands as a JSON pointer, as MediaConvert spells it: `/settings/outputGroups/0/name`. */
export function jsonPointer(path: Violation['path']): string {
  return path.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function violationTexts(violation: Violation): string[] {
  const { path, kind, value } = violation;
  const last = path.at(-1);
  if (typeof last === 'number' && kind !== 'required') {
    // Of simple items the list is named, and what each of them must satisfy.
    const place = validationPath(path.slice(0, -1));
    const shown = value === undefined ? 'Value' : `Value '[${textOf(value)}]'`;
    const constraints = constraintTexts(violation).join(', ');
    return [`${shown} at '${place}' failed to satisfy constraint: Member must satisfy constraint: [${constraints}]`];
  }
  const shown = kind === 'required' ? 'Value null' : value === undefined ? 'Value' : `Value '${textOf(value)}'`;
  const place = validationPath(path);
  return constraintTexts(violation).map((text) => `${shown} at '${place}' failed to satisfy constraint: ${text}`);
}

/** The sentences about what was broken, such as `Member must not be null`. */
function constraintTexts({ kind, constraint }: Violation): string[] {
  const { min, max, pattern } = constraint;
  switch (kind) {
    case 'required':
      return ['Member must not be null'];
    case 'length':
      return [boundText('length', min, max)];
    case 'range':
      return [boundText('value', min, max)];
    case 'pattern':
      return [`Member must satisfy regular expression pattern: ${pattern ?? ''}`];
    case 'enum':
      return [`Member must satisfy enum value set: [${(constraint.enum ?? []).join(', ')}]`];
    case 'type':
      return ['Member must be an integer'];
  }
}

/** A violation's constraint has the one bound that was broken. */
function boundText(what: 'length' | 'value', min: number | undefined, max: number | undefined): string {
  return min === undefined
    ? `Member must have ${what} less than or equal to ${max ?? ''}`
    : `Member must have ${what} greater than or equal to ${min}`;
}

const MAX_SHOWN = 2048;

/** As Java shows it: lists in brackets, maps in braces. */
function textOf(value: unknown): string {
  const text = javaText(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function javaText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(javaText).join(', ')}]`;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, entry]) => `${key}=${javaText(entry)}`)
      .join(', ')}}`;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
