import { dateOperator } from './date-operator.ts';

export const dateLessThanEquals = dateOperator('DateLessThanEquals', undefined, (actual, operand) => actual <= operand);
