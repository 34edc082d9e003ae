import { numericOperator } from './numeric-operator.ts';

export const numericLessThanEquals = numericOperator(
  'NumericLessThanEquals',
  undefined,
  (actual, operand) => actual <= operand,
);
