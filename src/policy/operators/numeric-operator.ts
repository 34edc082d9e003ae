import type { Operator } from './operator.ts';
import { type OrderedKind, orderedOperator } from './ordered-operator.ts';

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

const KIND: OrderedKind = { noun: 'a number', parse: parseNumber };

/** An operator on numbers. */
export function numericOperator(
  name: string,
  negatedName: string | undefined,
  compare: (actual: number, operand: number) => boolean,
): Operator {
  return orderedOperator(KIND, name, negatedName, compare);
}
