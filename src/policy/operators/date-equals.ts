import { dateOperator } from './date-operator.ts';

export const dateEquals = dateOperator('DateEquals', 'DateNotEquals', (actual, operand) => actual === operand);
