import { OperandError, type Operator } from './operator.ts';

/** `true` or `false`, whatever the case. */
export const bool: Operator = {
  name: 'Bool',
  compile(value) {
    const operand = value.toLowerCase();
    if (operand !== 'true' && operand !== 'false') throw new OperandError(`'${value}' is neither true nor false`);
    return (actual) => actual.toLowerCase() === operand;
  },
};
