import { numericOperator } from './numeric-operator.ts';

export const numericGreaterThan = numericOperator(
  'NumericGreaterThan',
  undefined,
  (actual, operand) => actual > operand,
);
