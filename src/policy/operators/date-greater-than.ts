import { dateOperator } from './date-operator.ts';

export const dateGreaterThan = dateOperator('DateGreaterThan', undefined, (actual, operand) => actual > operand);
