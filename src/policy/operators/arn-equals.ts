import { compileArnPattern } from './arn-pattern.ts';
import type { Operator } from './operator.ts';

/** As AWS documents it, the same as `ArnLike`: wildcards work here too. */
export const arnEquals: Operator = { name: 'ArnEquals', negatedName: 'ArnNotEquals', compile: compileArnPattern };
