import * as sdk from '@aws-sdk/client-secrets-manager';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { secretsManagerErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';

/** Secrets Manager: its operations are known, none is built yet. */
export function secretsManagerService(): Service<undefined> {
  return {
    name: 'secrets-manager',
    eventSource: 'secretsmanager.amazonaws.com',
    signingNames: ['secretsmanager'],
    protocol: 'awsJson1_1',
    targetPrefix: 'secretsmanager',
    schemas: operationSchemasOf(sdk),
    operations: [],
    context: undefined,
    constraints,
    errors: secretsManagerErrors,
  };
}
