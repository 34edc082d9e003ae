import {
  DeleteResourcePolicy$,
  type DeleteResourcePolicyRequest,
  type DeleteResourcePolicyResponse,
  GetResourcePolicy$,
  type GetResourcePolicyRequest,
  type GetResourcePolicyResponse,
  PutResourcePolicy$,
  type PutResourcePolicyRequest,
  type PutResourcePolicyResponse,
  ValidateResourcePolicy$,
  type ValidateResourcePolicyRequest,
  type ValidateResourcePolicyResponse,
  type ValidationErrorsEntry,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { SecretsManagerContext } from '../context.ts';
import { isPublicPolicy, readResourcePolicy } from '../domain/resource-policy.ts';
import { malformedPolicy, publicPolicy, secretNotFound } from '../errors.ts';
import { accessTo, arnOf, requireActive } from '../secrets.ts';
import { findSecretById, type SecretRow, type SecretStore, updateSecretRow } from '../store.ts';

export const putResourcePolicy = operation<SecretsManagerContext, PutResourcePolicyRequest, PutResourcePolicyResponse>(
  PutResourcePolicy$,
  {
    authorize: ({ SecretId, BlockPublicPolicy }, call, { secrets }) =>
      secrets.access('PutResourcePolicy', SecretId, call, {
        context: { 'secretsmanager:BlockPublicPolicy': String(BlockPublicPolicy ?? false) },
      }),
    async handle(
      { SecretId, ResourcePolicy: policy = '', BlockPublicPolicy },
      call,
      { secrets, store, policyPrincipals },
    ) {
      const row = await secrets.findActive(SecretId, call);
      const statements = readResourcePolicy(policy);
      if (BlockPublicPolicy === true && isPublicPolicy(statements)) throw publicPolicy();
      const bound = await policyPrincipals.bind(policy, (error) => malformedPolicy(error.message));
      await setPolicy(store, row, bound, call.now);
      return { ARN: arnOf(row), Name: row.name };
    },
  },
);

export const getResourcePolicy = operation<SecretsManagerContext, GetResourcePolicyRequest, GetResourcePolicyResponse>(
  GetResourcePolicy$,
  {
    authorize: ({ SecretId }, call, { secrets }) => secrets.access('GetResourcePolicy', SecretId, call),
    async handle({ SecretId }, call, { secrets, policyPrincipals }) {
      const row = await secrets.findActive(SecretId, call);
      const policy = row.policy === null ? undefined : await policyPrincipals.show(row.policy);
      return { ARN: arnOf(row), Name: row.name, ...(policy !== undefined && { ResourcePolicy: policy }) };
    },
  },
);

export const deleteResourcePolicy = operation<
  SecretsManagerContext,
  DeleteResourcePolicyRequest,
  DeleteResourcePolicyResponse
>(DeleteResourcePolicy$, {
  authorize: ({ SecretId }, call, { secrets }) => secrets.access('DeleteResourcePolicy', SecretId, call),
  async handle({ SecretId }, call, { secrets, store }) {
    const row = await secrets.findActive(SecretId, call);
    await setPolicy(store, row, null, call.now);
    return { ARN: arnOf(row), Name: row.name };
  },
});

/** Looks at a policy without setting it: its syntax, whether it is public, and whether it would lock the caller out. */
export const validateResourcePolicy = operation<
  SecretsManagerContext,
  ValidateResourcePolicyRequest,
  ValidateResourcePolicyResponse
>(ValidateResourcePolicy$, {
  isReadOnly: true,
  async authorize({ SecretId }, call, { secrets }) {
    if (SecretId === undefined) {
      return ['ValidateResourcePolicy', 'PutResourcePolicy'].map((name) => ({
        action: `secretsmanager:${name}`,
        resource: '*',
      }));
    }
    return [
      ...(await secrets.access('ValidateResourcePolicy', SecretId, call)),
      ...(await secrets.access('PutResourcePolicy', SecretId, call)),
    ];
  },
  async handle({ SecretId, ResourcePolicy: policy = '' }, call, { secrets }) {
    const row = SecretId === undefined ? undefined : await secrets.findActive(SecretId, call);
    const errors: ValidationErrorsEntry[] = [];
    try {
      if (isPublicPolicy(readResourcePolicy(policy))) {
        errors.push({ CheckName: 'BlockPublicPolicy', ErrorMessage: publicPolicy().message });
      }
      const access = row === undefined ? undefined : accessTo('PutResourcePolicy', { ...row, policy });
      if (access !== undefined && !(await call.isAllowed(access))) {
        errors.push({ CheckName: 'LockOut', ErrorMessage: 'The policy would not let you change it again.' });
      }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      errors.push({ CheckName: 'PolicySyntax', ErrorMessage: error.message });
    }
    return { PolicyValidationPassed: errors.length === 0, ValidationErrors: errors };
  },
});

async function setPolicy(store: SecretStore, { id }: SecretRow, policy: string | null, now: number): Promise<void> {
  await store.write(async (transaction) => {
    const row = await findSecretById(transaction, id);
    if (row === undefined) throw secretNotFound();
    requireActive(row);
    await updateSecretRow(transaction, id, { policy, changed_at: now });
  });
}
