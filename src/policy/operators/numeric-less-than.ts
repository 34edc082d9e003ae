import { numericOperator } from './numeric-operator.ts';

export const numericLessThan = numericOperator('NumericLessThan', undefined, (actual, operand) => actual < operand);
