import type { Constraint, Constraints } from '#kernel/service.ts';

/**
 * The constraints of operations that are in the SDK and AWS's API reference, but not yet in the service model that
 * `generated/constraints.ts` comes from.
 */

const KeyId: Constraint = { required: true, min: 1, max: 2048 };
const EncapsulationAlgorithm: Constraint = { required: true, enum: ['ML_KEM'] };
const GrantTokens: Constraint = { max: 10 };
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
};
