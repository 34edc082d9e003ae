import type { Statement } from '#policy/document.ts';
import { parseDocument } from '#policy/parse-document.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { malformedPolicy } from '../errors.ts';

/** @throws ServiceError MalformedPolicyDocumentException for what is not a policy of a secret */
export function readResourcePolicy(text: string): readonly Statement[] {
  let statements: readonly Statement[];
  try {
    statements = parseDocument(text, 'resource').statements;
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformedPolicy(error.message);
    throw error;
  }
  for (const { actions } of statements) {
    const foreign = actions.find((action) => action !== '*' && !/^secretsmanager:/i.test(action));
    if (foreign !== undefined) throw malformedPolicy(`A secret's policy cannot speak of the action ${foreign}.`);
  }
  return statements;
}

const RESTRICTING_KEYS = new Set([
  'aws:principalorgid',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:sourceip',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
]);

/** Whether a policy lets everyone in: an Allow for all principals that no condition ties to fixed callers. */
export function isPublicPolicy(statements: readonly Statement[]): boolean {
  return statements.some(({ effect, isNotPrincipal, principal, conditions }) => {
    if (effect !== 'Allow') return false;
    return (isNotPrincipal || principal?.isEveryone === true) && !conditions.some(isRestricting);
  });
}

function isRestricting({ operator, key, values }: Statement['conditions'][number]): boolean {
  const isPositive =
    /^(String(Equals|Like)|Arn(Equals|Like)|IpAddress)/.test(operator) && !operator.endsWith('IfExists');
  return isPositive && RESTRICTING_KEYS.has(key.toLowerCase()) && !values.some((value) => /[*?]|\/0$/.test(value));
}
