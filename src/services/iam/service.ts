import * as sdk from '@aws-sdk/client-iam';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { IamContext } from './context.ts';
import { checkCaller } from './domain/check-caller.ts';
import { iamErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { createAccessKey, deleteAccessKey, listAccessKeys, updateAccessKey } from './operations/access-keys.ts';
import { serverCertificateOperations } from './operations/server-certificates.ts';
import { signingCertificateOperations } from './operations/signing-certificates.ts';
import { sshPublicKeyOperations } from './operations/ssh-public-keys.ts';
import { credentialReportOperations } from './operations/credential-reports.ts';
import { serviceAccessOperations } from './operations/service-access.ts';
import { accountAliasOperations } from './operations/account-aliases.ts';
import { getAccountAuthorizationDetails } from './operations/account-authorization-details.ts';
import { getAccountSummary } from './operations/account-summary.ts';
import { loginProfileOperations } from './operations/login-profiles.ts';
import { passwordPolicyOperations } from './operations/password-policies.ts';
import { getAccessKeyLastUsed } from './operations/access-key-last-used.ts';
import {
  attachGroupPolicy,
  attachRolePolicy,
  attachUserPolicy,
  detachGroupPolicy,
  detachRolePolicy,
  detachUserPolicy,
  listAttachedGroupPolicies,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
} from './operations/attachments.ts';
import {
  deleteRolePermissionsBoundary,
  deleteUserPermissionsBoundary,
  putRolePermissionsBoundary,
  putUserPermissionsBoundary,
} from './operations/boundaries.ts';
import {
  addUserToGroup,
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  listGroupsForUser,
  removeUserFromGroup,
  updateGroup,
} from './operations/groups.ts';
import {
  deleteGroupPolicy,
  deleteRolePolicy,
  deleteUserPolicy,
  getGroupPolicy,
  getRolePolicy,
  getUserPolicy,
  listGroupPolicies,
  listRolePolicies,
  listUserPolicies,
  putGroupPolicy,
  putRolePolicy,
  putUserPolicy,
} from './operations/inline-policies.ts';
import { instanceProfileOperations } from './operations/instance-profiles.ts';
import {
  createPolicy,
  deletePolicy,
  getPolicy,
  listEntitiesForPolicy,
  listPolicies,
} from './operations/managed-policies.ts';
import { oidcProviderOperations } from './operations/oidc-providers.ts';
import { samlProviderOperations } from './operations/saml-providers.ts';
import { mfaDeviceOperations } from './operations/mfa-devices.ts';
import {
  createPolicyVersion,
  deletePolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  setDefaultPolicyVersion,
} from './operations/policy-versions.ts';
import {
  createRole,
  deleteRole,
  getRole,
  listRoles,
  updateAssumeRolePolicy,
  updateRole,
  updateRoleDescription,
} from './operations/roles.ts';
import { serviceLinkedRoleDeletionOperations } from './operations/service-linked-role-deletion.ts';
import { createServiceLinkedRole } from './operations/service-linked-roles.ts';
import {
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
  simulateCustomPolicy,
  simulatePrincipalPolicy,
} from './operations/simulation.ts';
import {
  listPolicyTags,
  listRoleTags,
  listUserTags,
  tagPolicy,
  tagRole,
  tagUser,
  untagPolicy,
  untagRole,
  untagUser,
} from './operations/tags.ts';
import { createUser, deleteUser, getUser, listUsers, updateUser } from './operations/users.ts';

export function iamService(context: IamContext): Service<IamContext> {
  return {
    name: 'iam',
    eventSource: 'iam.amazonaws.com',
    signingNames: ['iam'],
    protocol: 'awsQuery',
    apiVersion: '2010-05-08',
    xmlNamespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    schemas: operationSchemasOf(sdk),
    operations: [
      createAccessKey,
      updateAccessKey,
      deleteAccessKey,
      listAccessKeys,
      getAccessKeyLastUsed,
      attachUserPolicy,
      attachGroupPolicy,
      attachRolePolicy,
      detachUserPolicy,
      detachGroupPolicy,
      detachRolePolicy,
      listAttachedUserPolicies,
      listAttachedGroupPolicies,
      listAttachedRolePolicies,
      putUserPermissionsBoundary,
      putRolePermissionsBoundary,
      deleteUserPermissionsBoundary,
      deleteRolePermissionsBoundary,
      createGroup,
      getGroup,
      updateGroup,
      deleteGroup,
      listGroups,
      addUserToGroup,
      removeUserFromGroup,
      listGroupsForUser,
      putUserPolicy,
      putGroupPolicy,
      putRolePolicy,
      getUserPolicy,
      getGroupPolicy,
      getRolePolicy,
      deleteUserPolicy,
      deleteGroupPolicy,
      deleteRolePolicy,
      listUserPolicies,
      listGroupPolicies,
      listRolePolicies,
      createPolicy,
      getPolicy,
      deletePolicy,
      listPolicies,
      listEntitiesForPolicy,
      createPolicyVersion,
      getPolicyVersion,
      listPolicyVersions,
      deletePolicyVersion,
      setDefaultPolicyVersion,
      createRole,
      getRole,
      updateRole,
      updateRoleDescription,
      updateAssumeRolePolicy,
      deleteRole,
      listRoles,
      ...instanceProfileOperations,
      ...serverCertificateOperations,
      ...signingCertificateOperations,
      ...sshPublicKeyOperations,
      ...credentialReportOperations,
      ...serviceAccessOperations,
      ...loginProfileOperations,
      ...passwordPolicyOperations,
      ...accountAliasOperations,
      getAccountSummary,
      getAccountAuthorizationDetails,
      ...mfaDeviceOperations,
      ...oidcProviderOperations,
      ...samlProviderOperations,
      createServiceLinkedRole,
      ...serviceLinkedRoleDeletionOperations,
      simulateCustomPolicy,
      simulatePrincipalPolicy,
      getContextKeysForCustomPolicy,
      getContextKeysForPrincipalPolicy,
      tagUser,
      untagUser,
      listUserTags,
      tagRole,
      untagRole,
      listRoleTags,
      tagPolicy,
      untagPolicy,
      listPolicyTags,
      createUser,
      getUser,
      updateUser,
      deleteUser,
      listUsers,
    ],
    context,
    checkCaller,
    constraints,
    errors: iamErrors,
  };
}
