import { dateOperator } from './date-operator.ts';

export const dateLessThan = dateOperator('DateLessThan', undefined, (actual, operand) => actual < operand);
