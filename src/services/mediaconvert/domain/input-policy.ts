import type { JobSettings, Policy } from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import type { ConditionContext } from '#kernel/operation.ts';
import type { Problem } from '../errors.ts';
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

/** The condition keys by which IAM policies ask for a policy. */
export function policyContext(policy: Required<Policy>): ConditionContext {
  return {
    'mediaconvert:S3InputsAllowed': String(policy.S3Inputs === 'ALLOWED'),
    'mediaconvert:HttpsInputsAllowed': String(policy.HttpsInputs === 'ALLOWED'),
    'mediaconvert:HttpInputsAllowed': String(policy.HttpInputs === 'ALLOWED'),
  };
}

const SCHEMES = [
  ['s3:', 'S3Inputs', 'S3'],
  ['https:', 'HttpsInputs', 'HTTPS'],
  ['http:', 'HttpInputs', 'HTTP'],
] as const;

/** Finds every address in the settings' inputs that the policy disallows. */
export function checkInputPolicy(settings: JobSettings, policy: Required<Policy>, problems: Problem[]): void {
  walk(settings.Inputs ?? [], '/inputs', (text, pointer) => {
    for (const [scheme, member, name] of SCHEMES) {
      if (!text.toLowerCase().startsWith(`${scheme}//`) || policy[member] === 'ALLOWED') continue;
      problems.push({ pointer, text: `${name} inputs are not allowed by the policy of this account` });
    }
  });
}

function walk(value: unknown, pointer: string, visit: (text: string, pointer: string) => void): void {
  if (typeof value === 'string') visit(value, pointer);
  else if (Array.isArray(value)) value.forEach((item, index) => walk(item, `${pointer}/${index}`, visit));
  else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      walk(item, `${pointer}/${name.charAt(0).toLowerCase()}${name.slice(1)}`, visit);
    }
  }
}
