import { compileTemplate } from '../template.ts';
import type { Operator } from './operator.ts';

/** Exact text, case included. */
export const stringEquals: Operator = {
  name: 'StringEquals',
  negatedName: 'StringNotEquals',
  compile: (value, { hasVariables }) => compileTemplate(value, { hasVariables, hasWildcards: false }).matches,
};
