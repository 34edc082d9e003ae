import type { AccountId } from '#kernel/ids.ts';
import type { Call } from '#kernel/operation.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { malformedPolicy } from '../errors.ts';

/**
 * Refuses a key policy that is not one, and one that would lock the caller out of changing it again.
 *
 * @throws ServiceError MalformedPolicyDocumentException
 */
export async function checkKeyPolicy(
  document: string,
  key: { readonly arn: string; readonly account: AccountId },
  call: Call,
  bypassLockoutCheck: boolean,
): Promise<void> {
  checkSyntax(document);
  if (bypassLockoutCheck) return;
  const mayChangeIt = await call.isAllowed({
    action: 'kms:PutKeyPolicy',
    resource: key.arn,
    resourceAccount: key.account,
    resourcePolicy: { document, isRequired: true, kind: 'resource-based' },
  });
  if (!mayChangeIt) {
    throw malformedPolicy('The new key policy will not allow you to update the key policy in the future.');
  }
}

function checkSyntax(document: string): void {
  try {
    compilePolicy(document, 'resource');
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformedPolicy(error.message);
    throw error;
  }
}

/** For a policy that names somebody who is not there. */
export function principalRefusal({ line, column, detail }: PolicyDocumentError): Error {
  const wording = 'Policy contains a statement with one or more invalid principals.';
  return malformedPolicy(`${wording} Line ${line}, column ${column}: ${detail}`);
}
