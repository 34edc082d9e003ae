import * as sdk from '@aws-sdk/client-cloudtrail';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { CloudTrailContext } from './context.ts';
import { cloudTrailErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { lookupEvents } from './operations/lookup-events.ts';

export function cloudTrailService(context: CloudTrailContext): Service<CloudTrailContext> {
  return {
    name: 'cloudtrail',
    eventSource: 'cloudtrail.amazonaws.com',
    signingNames: ['cloudtrail'],
    protocol: 'awsJson1_1',
    targetPrefix: 'CloudTrail_20131101',
    schemas: operationSchemasOf(sdk),
    operations: [lookupEvents],
    context,
    constraints,
    errors: cloudTrailErrors,
  };
}
