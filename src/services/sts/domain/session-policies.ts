import type { PolicyDescriptorType } from '@aws-sdk/client-sts';
import type { AccountId } from '#kernel/ids.ts';
import { compilePolicy } from '#policy/compile-policy.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import type { IamApi } from '#services/iam/api.ts';
import { malformedPolicy, packedPolicyTooLarge, validation } from '../errors.ts';

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
  if (arns.length > MAX_POLICY_ARNS) throw validation(`A session has at most ${MAX_POLICY_ARNS} managed policies.`);
  for (const arn of arns) {
    if (!(await iam.hasManagedPolicy(account, arn))) {
      throw validation(`Policy ${arn} does not exist or is not attachable.`);
    }
  }
  if (input.Policy === undefined) return arns;
  if (input.Policy.length > MAX_POLICY_LENGTH) {
    throw packedPolicyTooLarge(Math.ceil((input.Policy.length / MAX_POLICY_LENGTH) * 100));
  }
  try {
    compilePolicy(input.Policy, 'identity');
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformedPolicy(error.message);
    throw error;
  }
  return [input.Policy, ...arns];
}

/** How much of a token's room the policies and tags of a request take, in per cent. */
export function packedSize(policies: readonly string[], tags: Readonly<Record<string, string>>): number | undefined {
  const texts = [...policies, ...Object.entries(tags).flat()];
  if (texts.length === 0) return undefined;
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return Math.min(100, Math.max(1, Math.ceil((length / (2 * MAX_POLICY_LENGTH)) * 100)));
}
