import { compileArnPattern } from './arn-pattern.ts';
import type { Operator } from './operator.ts';

/** An ARN with wildcards within its components. */
export const arnLike: Operator = { name: 'ArnLike', negatedName: 'ArnNotLike', compile: compileArnPattern };
