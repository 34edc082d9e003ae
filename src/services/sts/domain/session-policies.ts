import type { PolicyDescriptorType } from '@aws-sdk/client-sts';
import type { AccountId } from '#kernel/ids.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import type { IamApi } from '#services/iam/api.ts';
import { malformedPolicy, packedPolicyTooLarge, validation } from '../errors.ts';

/** Characters of a document and of the ARNs together. */
const MAX_POLICY_LENGTH = 2048;
const MAX_POLICY_ARNS = 10;

/**
 * The session policies of a request, as sessions carry them: the document first, then the ARNs.
 * @throws ServiceError MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError
 */
export async function sessionPolicies(
  input: { readonly Policy?: string | undefined; readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined },
  account: AccountId,
  iam: IamApi,
): Promise<readonly string[]> {
  const arns = (input.PolicyArns ?? []).map(({ arn }) => arn ?? '');
  if (arns.length > MAX_POLICY_ARNS) {
    throw validation(
      `1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less ` +
        `than or equal to ${MAX_POLICY_ARNS}`,
    );
  }
  const length = arns.reduce((sum, arn) => sum + arn.length, input.Policy?.length ?? 0);
  if (length > MAX_POLICY_LENGTH) throw packedPolicyTooLarge(Math.ceil((length / MAX_POLICY_LENGTH) * 100));
  for (const arn of arns) {
    if (!(await iam.hasManagedPolicy(account, arn))) {
      throw validation(`Policy ${arn} does not exist or is not attachable.`);
    }
  }
  if (input.Policy === undefined) return arns;
  try {
    compilePolicy(input.Policy, 'identity');
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformedPolicy(error.message);
    throw error;
  }
  return [input.Policy, ...arns];
}
