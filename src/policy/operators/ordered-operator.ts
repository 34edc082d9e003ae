import { OperandError, type Operator } from './operator.ts';

/** What a family of ordered values (numbers, dates) is made of. */
export interface OrderedKind {
  /** As an error calls it: `a number`. */
  readonly noun: string;
  /** @returns `undefined` for text that is none */
  readonly parse: (text: string) => number | undefined;
}

/** An operator on ordered values. A request's value that is none of them matches nothing. */
export function orderedOperator(
  kind: OrderedKind,
  name: string,
  negatedName: string | undefined,
  compare: (actual: number, operand: number) => boolean,
): Operator {
  return {
    name,
    ...(negatedName !== undefined && { negatedName }),
    compile(value) {
      const operand = kind.parse(value);
      if (operand === undefined) throw new OperandError(`'${value}' is not ${kind.noun}`);
      return (text) => {
        const actual = kind.parse(text);
        return actual !== undefined && compare(actual, operand);
      };
    },
  };
}
