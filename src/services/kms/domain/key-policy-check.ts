import type { Call } from '#kernel/operation.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { limitExceeded, malformedPolicy } from '../errors.ts';
import type { KeyRecord } from '../tables.ts';
import { callerKeys, keyKindKeys } from './key-access.ts';

/** Bytes (KMS developer guide, "Resource quotas"). The API's own limit is that of older documents. */
const MAX_SIZE = 32_768;

/** The key that a policy is for, there or about to be made. */
interface PolicyOwner extends Pick<KeyRecord, 'account' | 'spec' | 'usage' | 'origin'> {
  readonly arn: string;
}

/**
 * Refuses a key policy that is not one, and one that would lock the caller out of changing it again.
 *
 * @throws ServiceError MalformedPolicyDocumentException, LimitExceededException
 */
export async function checkKeyPolicy(
  document: string,
  key: PolicyOwner,
  call: Call,
  bypassLockoutCheck: boolean,
): Promise<void> {
  if (Buffer.byteLength(document) > MAX_SIZE) {
    throw limitExceeded(`The key policy is longer than ${MAX_SIZE} bytes.`);
  }
  checkSyntax(document);
  if (bypassLockoutCheck) return;
  const mayChangeIt = await call.isAllowed({
    action: 'kms:PutKeyPolicy',
    resource: key.arn,
    resourceAccount: key.account,
    resourcePolicy: { document, isRequired: true, kind: 'resource-based' },
    context: {
      ...callerKeys(call),
      ...keyKindKeys(key),
      'kms:KeyOrigin': key.origin,
      'kms:BypassPolicyLockoutSafetyCheck': 'false',
    },
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
