import {
  CreateServiceLinkedRole$,
  type CreateServiceLinkedRoleRequest,
  type CreateServiceLinkedRoleResponse,
} from '@aws-sdk/client-iam';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { principalArn } from '../domain/identifiers.ts';
import { creationPolicyOf, type ServiceLinkedRole, serviceLinkedRoles } from '../domain/service-linked-roles.ts';
import { bindTrustPolicy } from '../domain/trust-policy.ts';
import { invalidInput } from '../errors.ts';
import { createPrincipal, roleOutput } from './principals.ts';
import { callerAccount } from './targets.ts';

const MAX_SESSION = 3600;

/** The role's policies are fixed by the service; whoever may make it hands out nothing of their own. */
export const createServiceLinkedRole = operation<
  IamContext,
  CreateServiceLinkedRoleRequest,
  CreateServiceLinkedRoleResponse
>(CreateServiceLinkedRole$, {
  authorize(input, call) {
    const role = serviceLinkedRoles.get(input.AWSServiceName ?? '');
    const { path = '/aws-service-role/', roleName: name = '*' } = role ?? {};
    return [
      {
        action: 'iam:CreateServiceLinkedRole',
        resource: principalArn('role', { account: callerAccount(call), path, name }),
        context: { 'iam:AWSServiceName': input.AWSServiceName },
        ...(role !== undefined && {
          resourcePolicy: { document: creationPolicyOf(role), isRequired: false, kind: 'resource-based' },
        }),
      },
    ];
  },
  async handle(input, call, iam) {
    const definition = definitionOf(input);
    const account = callerAccount(call);
    const trustPolicy = definition.trustPolicyIn(account);
    const record = await iam.store.write(async (transaction) => {
      const role = {
        trust_policy: trustPolicy,
        bound_trust_policy: await bindTrustPolicy(trustPolicy, transaction),
        description: input.Description ?? definition.description,
        max_session: MAX_SESSION,
      };
      const { roleName: name, path } = definition;
      const made = await createPrincipal(transaction, { kind: 'role', name, path, role }, call, iam);
      await transaction
        .insertInto('iam_inline_policy')
        .values({
          principal_id: made.id,
          name: definition.policyName,
          document: definition.policyIn(account),
        })
        .execute();
      return made;
    });
    return { Role: roleOutput(record) };
  },
});

function definitionOf({ AWSServiceName, CustomSuffix }: CreateServiceLinkedRoleRequest): ServiceLinkedRole {
  const definition = serviceLinkedRoles.get(AWSServiceName ?? '');
  if (definition === undefined) throw invalidInput(`${AWSServiceName ?? ''} has no service-linked role here.`);
  if (CustomSuffix !== undefined) throw invalidInput(`Custom suffix is not allowed for ${definition.service}`);
  return definition;
}
