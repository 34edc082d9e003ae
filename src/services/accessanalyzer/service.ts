import * as sdk from '@aws-sdk/client-accessanalyzer';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { AccessAnalyzerContext } from './context.ts';
import { accessAnalyzerErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { validatePolicy } from './operations/validate-policy.ts';

/** IAM Access Analyzer: the validation of policies. */
export function accessAnalyzerService(context: AccessAnalyzerContext): Service<AccessAnalyzerContext> {
  return {
    name: 'accessanalyzer',
    eventSource: 'access-analyzer.amazonaws.com',
    signingNames: ['access-analyzer'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    operations: [validatePolicy],
    context,
    constraints,
    errors: accessAnalyzerErrors,
  };
}
