import * as sdk from '@aws-sdk/client-sts';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { StsContext } from './context.ts';
import { checkCaller } from './domain/check-caller.ts';
import { stsErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { assumeRole } from './operations/assume-role.ts';
import { assumeRoleWithSaml } from './operations/assume-role-with-saml.ts';
import { assumeRoleWithWebIdentity } from './operations/assume-role-with-web-identity.ts';
import { decodeAuthorizationMessage } from './operations/decode-authorization-message.ts';
import { getAccessKeyInfo } from './operations/get-access-key-info.ts';
import { getFederationToken } from './operations/get-federation-token.ts';
import { getCallerIdentity } from './operations/get-caller-identity.ts';
import { getSessionToken } from './operations/get-session-token.ts';

export function stsService(context: StsContext): Service<StsContext> {
  return {
    name: 'sts',
    eventSource: 'sts.amazonaws.com',
    signingNames: ['sts'],
    protocol: 'awsQuery',
    apiVersion: '2011-06-15',
    xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    schemas: operationSchemasOf(sdk),
    operations: [
      assumeRole,
      assumeRoleWithWebIdentity,
      assumeRoleWithSaml,
      getCallerIdentity,
      getSessionToken,
      getFederationToken,
      getAccessKeyInfo,
      decodeAuthorizationMessage,
    ],
    context,
    checkCaller,
    constraints,
    errors: stsErrors,
  };
}
