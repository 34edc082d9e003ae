import { dateOperator } from './date-operator.ts';

export const dateGreaterThanEquals = dateOperator(
  'DateGreaterThanEquals',
  undefined,
  (actual, operand) => actual >= operand,
);
