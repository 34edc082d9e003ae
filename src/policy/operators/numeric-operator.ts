import { OperandError, type Operator } from './operator.ts';

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** An operator on numbers. A request's value that is no number matches nothing. */
export function numericOperator(
  name: string,
  negatedName: string | undefined,
  compare: (actual: number, operand: number) => boolean,
): Operator {
  return {
    name,
    ...(negatedName !== undefined && { negatedName }),
    compile(value) {
      const operand = parseNumber(value);
      if (operand === undefined) throw new OperandError(`'${value}' is not a number`);
      return (text) => {
        const actual = parseNumber(text);
        return actual !== undefined && compare(actual, operand);
      };
    },
  };
}
