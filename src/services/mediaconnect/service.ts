import { operationSchemasOf, type Service } from '#kernel/service.ts';
import { mediaConnectErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import * as schemas from './generated/schemas.ts';

/** MediaConnect: its operations are known, none is built yet. */
export function mediaConnectService(): Service<undefined> {
  return {
    name: 'mediaconnect',
    eventSource: 'mediaconnect.amazonaws.com',
    signingNames: ['mediaconnect'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(schemas),
    operations: [],
    context: undefined,
    constraints,
    errors: mediaConnectErrors,
  };
}
