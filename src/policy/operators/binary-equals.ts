import { OperandError, type Operator } from './operator.ts';

/** The bytes, as characters of a string; `undefined` when the text is not base64. */
function decode(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

/** The same bytes, in base64 on both sides. */
export const binaryEquals: Operator = {
  name: 'BinaryEquals',
  compile(value) {
    const operand = decode(value);
    if (operand === undefined) throw new OperandError(`'${value}' is not base64`);
    return (actual) => decode(actual) === operand;
  },
};
