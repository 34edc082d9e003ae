import { compileTemplate } from '../template.ts';
import type { Operator } from './operator.ts';

/** Text, whatever its case. */
export const stringEqualsIgnoreCase: Operator = {
  name: 'StringEqualsIgnoreCase',
  negatedName: 'StringNotEqualsIgnoreCase',
  compile: (value, { hasVariables }) =>
    compileTemplate(value, { hasVariables, hasWildcards: false, isCaseInsensitive: true }).matches,
};
