import { compileTemplate } from '../template.ts';
import type { Operator } from './operator.ts';

/** Text with the wildcards `*` and `?`, case included. */
export const stringLike: Operator = {
  name: 'StringLike',
  negatedName: 'StringNotLike',
  compile: (value, { hasVariables }) => compileTemplate(value, { hasVariables, hasWildcards: true }).matches,
};
