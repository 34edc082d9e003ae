import {
  GetKeyPolicy$,
  type GetKeyPolicyRequest,
  type GetKeyPolicyResponse,
  ListKeyPolicies$,
  type ListKeyPoliciesRequest,
  type ListKeyPoliciesResponse,
  PutKeyPolicy$,
  type PutKeyPolicyRequest,
} from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { checkKeyPolicy, principalRefusal } from '../domain/key-policy-check.ts';
import { notFound, unsupported } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';

/** The only name that a key policy can have. */
const POLICY_NAME = 'default';

export const getKeyPolicy = operation<KmsContext, GetKeyPolicyRequest, GetKeyPolicyResponse>(GetKeyPolicy$, {
  authorize: authorizeOnKey('kms:GetKeyPolicy'),
  async handle(input, call, kms) {
    checkPolicyName(input.PolicyName);
    const { key } = await kms.keys.locate(input.KeyId ?? '', call, 'kms:GetKeyPolicy');
    return { Policy: await kms.policyPrincipals.show(key.policy), PolicyName: POLICY_NAME };
  },
});

export const putKeyPolicy = operation<KmsContext, PutKeyPolicyRequest, Record<string, never>>(PutKeyPolicy$, {
  authorize: authorizeOnKey<PutKeyPolicyRequest>('kms:PutKeyPolicy', (input) => ({
    'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
  })),
  async handle(input, call, kms) {
    checkPolicyName(input.PolicyName);
    const { key, arn } = await kms.keys.locate(input.KeyId ?? '', call, 'kms:PutKeyPolicy');
    if (key.manager === 'AWS') throw unsupported(`${arn} is an AWS managed key: its policy cannot be changed.`);
    const policy = input.Policy ?? '';
    await checkKeyPolicy(policy, { ...key, arn }, call, input.BypassPolicyLockoutSafetyCheck ?? false);
    const bound = await kms.policyPrincipals.bind(policy, principalRefusal);
    await kms.store.write(
      (transaction) =>
        transaction
          .updateTable('kms_key')
          .set({ policy: bound })
          .where('region', '=', key.region)
          .where('id', '=', key.id)
          .execute(),
      [key],
    );
    return {};
  },
});

export const listKeyPolicies = operation<KmsContext, ListKeyPoliciesRequest, ListKeyPoliciesResponse>(
  ListKeyPolicies$,
  {
    authorize: authorizeOnKey('kms:ListKeyPolicies'),
    handle: () => ({ PolicyNames: [POLICY_NAME], Truncated: false }),
  },
);

function checkPolicyName(name: string | undefined): void {
  if (name !== undefined && name !== POLICY_NAME) throw notFound(`No such policy exists: ${name}`);
}
