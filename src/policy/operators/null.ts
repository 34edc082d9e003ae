import { OperandError } from './operator.ts';

/** `Null` asks whether a key is absent (`true`) or present (`false`); it compares no values, so it is not an Operator. */
export const NULL_OPERATOR = 'Null';

/**
 * @returns what the absence of the key must be for a match
 * @throws OperandError when `value` is neither `true` nor `false`
 */
export function parseNullOperand(value: string): boolean {
  const operand = value.toLowerCase();
  if (operand !== 'true' && operand !== 'false') throw new OperandError(`'${value}' is neither true nor false`);
  return operand === 'true';
}
