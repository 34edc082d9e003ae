import type { Constraint, Constraints } from '#kernel/service.ts';
import { constraints } from './generated/constraints.ts';

/**
 * The constraints of operations and members that are in the SDK and AWS's API reference, but not yet in the service model
 * that `generated/constraints.ts` comes from.
 */

const KeyId: Constraint = { required: true, min: 1, max: 2048 };
const EncapsulationAlgorithm: Constraint = { required: true, enum: ['ML_KEM'] };
const GrantTokens: Constraint = { max: 10 };
/** An ARN, or the name of a service. */
const principal: Constraint = { min: 1, max: 256, pattern: '^[\\w+=,.@:/-]+$' };
const grantToken = { member: { min: 1, max: 8192 } };

export const newerConstraints: Constraints = {
  EncapsulateRequest: { KeyId, EncapsulationAlgorithm, GrantTokens },
  'EncapsulateRequest.GrantTokens': grantToken,
  DecapsulateRequest: {
    KeyId,
    SharedSecretCiphertextBlob: { required: true, min: 1, max: 6144 },
    EncapsulationAlgorithm,
    GrantTokens,
  },
  'DecapsulateRequest.GrantTokens': grantToken,
  // Services as principals: the others are no longer required.
  CreateGrantRequest: {
    ...constraints['CreateGrantRequest'],
    GranteePrincipal: principal,
    GranteeServicePrincipal: principal,
    RetiringServicePrincipal: principal,
  },
  ListGrantsRequest: { ...constraints['ListGrantsRequest'], GranteeServicePrincipal: principal },
  ListRetirableGrantsRequest: {
    ...constraints['ListRetirableGrantsRequest'],
    RetiringPrincipal: principal,
    RetiringServicePrincipal: principal,
  },
};
