import { numericOperator } from './numeric-operator.ts';

export const numericEquals = numericOperator(
  'NumericEquals',
  'NumericNotEquals',
  (actual, operand) => actual === operand,
);
