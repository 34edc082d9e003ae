import type { JsonMember, JsonNode, JsonObject } from '#policy/json-tree.ts';
import { STATEMENT_MEMBERS } from '#policy/parse-document.ts';
import type { PathElement, Place, Report } from './finding.ts';

/** Where a policy is to stand, which decides what it may say. */
export type PolicyKind = 'identity' | 'resource' | 'trust' | 'service-control' | 'resource-control';

/** A value in a policy, as text. */
export interface ReadValue {
  readonly text: string;
  readonly type: 'string' | 'number' | 'boolean';
  readonly place: Place;
}

/** Such as Action or NotAction, with its values. */
export interface ReadElement {
  readonly name: string;
  readonly namePlace: Place;
  readonly place: Place;
  readonly values: readonly ReadValue[];
  readonly isEmptyArray: boolean;
}

/** One kind of principals in a Principal element; `"*"` alone has the type `*`. */
export interface ReadPrincipal extends ReadElement {
  readonly element: 'Principal' | 'NotPrincipal';
}

export interface ReadCondition extends ReadElement {
  readonly operator: string;
  readonly operatorPlace: Place;
}

export interface ReadStatement {
  readonly index: number;
  readonly place: Place;
  readonly sid: ReadValue | undefined;
  readonly effect: 'Allow' | 'Deny' | undefined;
  readonly action: ReadElement | undefined;
  readonly resource: ReadElement | undefined;
  readonly principals: readonly ReadPrincipal[];
  /** Principal or NotPrincipal, where it stands. */
  readonly principalPlace: Place | undefined;
  readonly conditions: readonly ReadCondition[];
}

export interface ReadPolicy {
  readonly version: string | undefined;
  readonly place: Place;
  readonly statements: readonly ReadStatement[];
}

const VERSIONS = ['2012-10-17', '2008-10-17'];

/** Reads a policy as far as it can be read, and reports what is wrong with its structure. */
export function readPolicy(root: JsonNode, report: Report): ReadPolicy {
  const place = placeOf(root, []);
  if (root.type !== 'object') {
    mismatch(report, 'object', place);
    return { version: undefined, place, statements: [] };
  }
  const statements: ReadStatement[] = [];
  let version: string | undefined;
  let hasStatement = false;
  for (const member of root.members) {
    const at = valuePlace(member, []);
    if (member.name === 'Version') version = readVersion(member.value, at, report);
    else if (member.name === 'Id') {
      if (member.value.type !== 'string') mismatch(report, 'string', at);
    } else if (member.name === 'Statement') {
      hasStatement = true;
      statements.push(...readStatements(member, at, report));
    } else
      report.error('INVALID_POLICY_ELEMENT', `The policy element ${member.name} is not valid.`, namePlace(member, []));
  }
  if (!hasStatement) report.error('MISSING_STATEMENT', 'Add a statement to the policy', place);
  if (!root.members.some(({ name }) => name === 'Version')) {
    report.warning(
      'MISSING_VERSION',
      'We recommend that you specify the Version element to help you with debugging permission issues.',
      place,
    );
  }
  return { version, place, statements };
}

function readVersion(node: JsonNode, place: Place, report: Report): string | undefined {
  if (node.type !== 'string') {
    mismatch(report, 'string', place);
    return undefined;
  }
  if (VERSIONS.includes(node.value)) return node.value;
  const details = `The version ${node.value} is not valid. Use one of the following versions: [${VERSIONS.join(', ')}]`;
  report.error('INVALID_VERSION', details, place);
  return undefined;
}

function readStatements(member: JsonMember, place: Place, report: Report): ReadStatement[] {
  const { value } = member;
  if (value.type === 'object') return [readStatement(value, place, 0, report)];
  if (value.type !== 'array') {
    mismatch(report, 'object or array', place);
    return [];
  }
  if (value.items.length === 0) report.error('MISSING_STATEMENT', 'Add a statement to the policy', place);
  return value.items.flatMap((item, index) => {
    const at = placeOf(item, [...place.path, { index }]);
    if (item.type === 'object') return [readStatement(item, at, index, report)];
    mismatch(report, 'object', at);
    return [];
  });
}

function readStatement(node: JsonObject, place: Place, index: number, report: Report): ReadStatement {
  const members = new Map<string, JsonMember>();
  for (const member of node.members) {
    if (STATEMENT_MEMBERS.has(member.name)) members.set(member.name, member);
    else {
      const details = `The policy element ${member.name} is not valid.`;
      report.error('INVALID_POLICY_ELEMENT', details, namePlace(member, place.path));
    }
  }
  const oneOf = (name: string): JsonMember | undefined => {
    const [plain, negated] = [members.get(name), members.get(`Not${name}`)];
    if (plain !== undefined && negated !== undefined) {
      const details = `The policy elements ${name} and Not${name} can not be used in the same statement. Remove one of these elements.`;
      report.error(
        'UNSUPPORTED_ELEMENT_COMBINATION',
        details,
        namePlace(plain, place.path),
        namePlace(negated, place.path),
      );
    }
    return plain ?? negated;
  };
  const principal = oneOf('Principal');
  return {
    index,
    place,
    sid: readSid(members.get('Sid'), place, report),
    effect: readEffect(members.get('Effect'), place, report),
    action: readElement(oneOf('Action'), place.path, report),
    resource: readElement(oneOf('Resource'), place.path, report),
    principals: principal === undefined ? [] : readPrincipals(principal, place, report),
    principalPlace: principal && namePlace(principal, place.path),
    conditions: readConditions(members.get('Condition'), place, report),
  };
}

function readSid(member: JsonMember | undefined, { path }: Place, report: Report): ReadValue | undefined {
  if (member === undefined) return undefined;
  const place = valuePlace(member, path);
  if (member.value.type === 'string') return { text: member.value.value, type: 'string', place };
  mismatch(report, 'string', place);
  return undefined;
}

function readEffect(member: JsonMember | undefined, place: Place, report: Report): 'Allow' | 'Deny' | undefined {
  if (member === undefined) {
    const details = 'Add an Effect element to the policy statement with a value of Allow or Deny.';
    report.error('MISSING_EFFECT', details, place);
    return undefined;
  }
  const { value } = member;
  const at = valuePlace(member, place.path);
  if (value.type !== 'string') mismatch(report, 'string', at);
  else if (value.value === 'Allow' || value.value === 'Deny') return value.value;
  else report.error('INVALID_EFFECT', `The effect ${value.value} is not valid. Use Allow or Deny.`, at);
  return undefined;
}

function readPrincipals(member: JsonMember, statement: Place, report: Report): ReadPrincipal[] {
  const element = member.name === 'Principal' ? 'Principal' : 'NotPrincipal';
  const place = valuePlace(member, statement.path);
  const { value } = member;
  if (value.type === 'string' && value.value === '*') {
    const values = [{ text: '*', type: 'string' as const, place }];
    return [{ element, name: '*', namePlace: namePlace(member, statement.path), place, values, isEmptyArray: false }];
  }
  if (value.type !== 'object') {
    const details = 'The Principal element contents are not valid. Specify a key-value pair in the Principal element.';
    report.error('INVALID_PRINCIPAL_FORMAT', details, place);
    return [];
  }
  if (value.members.length === 0) {
    const details = 'This statement includes no principals and does not affect the policy. Specify principals.';
    report.suggestion('EMPTY_OBJECT_PRINCIPAL', details, place);
  }
  return value.members.flatMap((kind) => {
    const read = readElement(kind, place.path, report);
    return read === undefined ? [] : [{ ...read, element } as const];
  });
}

function readConditions(member: JsonMember | undefined, statement: Place, report: Report): ReadCondition[] {
  if (member === undefined) return [];
  const place = valuePlace(member, statement.path);
  if (member.value.type !== 'object') {
    mismatch(report, 'object', place);
    return [];
  }
  const details = 'This condition block is empty and it does not affect the policy. Specify conditions.';
  if (member.value.members.length === 0) report.suggestion('EMPTY_OBJECT_CONDITION', details, place);
  const conditions: ReadCondition[] = [];
  for (const operator of member.value.members) {
    const operatorPlace = namePlace(operator, place.path);
    const inner = valuePlace(operator, place.path);
    if (operator.value.type !== 'object') {
      mismatch(report, 'object', inner);
      continue;
    }
    if (operator.value.members.length === 0) report.suggestion('EMPTY_OBJECT_CONDITION', details, inner);
    for (const key of operator.value.members) {
      const read = readElement(key, inner.path, report, true);
      if (read !== undefined) conditions.push({ ...read, operator: operator.name, operatorPlace });
    }
  }
  return conditions;
}

function readElement(
  member: JsonMember | undefined,
  path: readonly PathElement[],
  report: Report,
  isLoose = false,
): ReadElement | undefined {
  if (member === undefined) return undefined;
  const { name, value } = member;
  const place = valuePlace(member, path);
  const items = value.type === 'array' ? value.items : [value];
  const values = items.flatMap((item, index): ReadValue[] => {
    const at = value.type === 'array' ? placeOf(item, [...place.path, { index }]) : place;
    if (item.type === 'string') return [{ text: item.value, type: 'string', place: at }];
    if (isLoose && item.type === 'number') return [{ text: item.text, type: 'number', place: at }];
    if (isLoose && item.type === 'boolean') return [{ text: String(item.value), type: 'boolean', place: at }];
    mismatch(report, value.type === 'array' ? 'string' : 'string or array of strings', at);
    return [];
  });
  const isEmptyArray = value.type === 'array' && value.items.length === 0;
  return { name, namePlace: namePlace(member, path), place, values, isEmptyArray };
}

function mismatch(report: Report, type: string, place: Place): void {
  report.error('DATA_TYPE_MISMATCH', `The text does not match the expected JSON data type ${type}.`, place);
}

function placeOf({ at, end }: JsonNode, path: readonly PathElement[]): Place {
  return { path, at, end };
}

function valuePlace({ name, value }: JsonMember, path: readonly PathElement[]): Place {
  return placeOf(value, [...path, { value: name }]);
}

function namePlace({ name, at, nameEnd }: JsonMember, path: readonly PathElement[]): Place {
  return { path: [...path, { key: name }], at, end: nameEnd };
}
