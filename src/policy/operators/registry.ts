import { arnEquals } from './arn-equals.ts';
import { arnLike } from './arn-like.ts';
import { binaryEquals } from './binary-equals.ts';
import { bool } from './bool.ts';
import { dateEquals } from './date-equals.ts';
import { dateGreaterThan } from './date-greater-than.ts';
import { dateGreaterThanEquals } from './date-greater-than-equals.ts';
import { dateLessThan } from './date-less-than.ts';
import { dateLessThanEquals } from './date-less-than-equals.ts';
import { ipAddress } from './ip-address.ts';
import { numericEquals } from './numeric-equals.ts';
import { numericGreaterThan } from './numeric-greater-than.ts';
import { numericGreaterThanEquals } from './numeric-greater-than-equals.ts';
import { numericLessThan } from './numeric-less-than.ts';
import { numericLessThanEquals } from './numeric-less-than-equals.ts';
import type { Operator } from './operator.ts';
import { stringEquals } from './string-equals.ts';
import { stringEqualsIgnoreCase } from './string-equals-ignore-case.ts';
import { stringLike } from './string-like.ts';

const OPERATORS: readonly Operator[] = [
  stringEquals,
  stringEqualsIgnoreCase,
  stringLike,
  numericEquals,
  numericLessThan,
  numericLessThanEquals,
  numericGreaterThan,
  numericGreaterThanEquals,
  dateEquals,
  dateLessThan,
  dateLessThanEquals,
  dateGreaterThan,
  dateGreaterThanEquals,
  bool,
  binaryEquals,
  ipAddress,
  arnEquals,
  arnLike,
];

interface RegisteredOperator {
  readonly operator: Operator;
  readonly isNegated: boolean;
}

/** By lower-case name: AWS takes `forAllValues:stringLike` as well. */
const byName = new Map<string, RegisteredOperator>();
for (const operator of OPERATORS) {
  byName.set(operator.name.toLowerCase(), { operator, isNegated: false });
  if (operator.negatedName !== undefined) byName.set(operator.negatedName.toLowerCase(), { operator, isNegated: true });
}

/** Finds an operator by its name without prefix and suffix; `undefined` for names that the language does not have. */
export function findOperator(name: string): RegisteredOperator | undefined {
  return byName.get(name.toLowerCase());
}
