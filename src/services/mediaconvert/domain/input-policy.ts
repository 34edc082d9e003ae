import type { JobSettings, Policy } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { ConditionContext } from '#kernel/operation.ts';
import type { HttpAccess } from '#media/http/http-reader.ts';
import type { ResourceRecord } from '../resource-store.ts';
import { openDocument } from './resource-document.ts';

/** The name under which an account's one policy lies. */
export const POLICY_NAME = 'default';

const ALL_ALLOWED = { S3Inputs: 'ALLOWED', HttpsInputs: 'ALLOWED', HttpInputs: 'ALLOWED' } as const;

/** An account's policy, or the one that stands in for it; what it does not say is allowed. */
export function policyOf(rootKey: RootKey, record: ResourceRecord | undefined): Required<Policy> {
  return completePolicy(record === undefined ? {} : openDocument<Policy>(rootKey, record));
}

export function completePolicy(policy: Policy): Required<Policy> {
  return {
    S3Inputs: policy.S3Inputs ?? ALL_ALLOWED.S3Inputs,
    HttpsInputs: policy.HttpsInputs ?? ALL_ALLOWED.HttpsInputs,
    HttpInputs: policy.HttpInputs ?? ALL_ALLOWED.HttpInputs,
  };
}

/** Which web servers a policy lets inputs be read from. */
export function webAccess(policy: Required<Policy>, privateHosts: readonly string[]): HttpAccess {
  return {
    isHttpAllowed: policy.HttpInputs === 'ALLOWED',
    isHttpsAllowed: policy.HttpsInputs === 'ALLOWED',
    privateHosts,
  };
}

/** The condition keys by which IAM policies ask for a policy. */
export function policyContext(policy: Required<Policy>): ConditionContext {
  return {
    'mediaconvert:S3InputsAllowed': String(policy.S3Inputs === 'ALLOWED'),
    'mediaconvert:HttpsInputsAllowed': String(policy.HttpsInputs === 'ALLOWED'),
    'mediaconvert:HttpInputsAllowed': String(policy.HttpInputs === 'ALLOWED'),
  };
}

const SCHEMES = [
  ['s3:', 'S3Inputs'],
  ['https:', 'HttpsInputs'],
  ['http:', 'HttpInputs'],
] as const;

/** Whether an address in the settings' inputs is of a kind that the policy disallows. */
export function isInputDisallowed(settings: JobSettings, policy: Required<Policy>): boolean {
  return textsIn(settings.Inputs ?? []).some((text) =>
    SCHEMES.some(([scheme, member]) => policy[member] !== 'ALLOWED' && text.toLowerCase().startsWith(`${scheme}//`)),
  );
}

export const DISALLOWED_INPUT =
  'You specified an input location that your policy disallows. Specify an allowed input location and resubmit your job.';

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
