import { numericOperator } from './numeric-operator.ts';

export const numericGreaterThanEquals = numericOperator(
  'NumericGreaterThanEquals',
  undefined,
  (actual, operand) => actual >= operand,
);
