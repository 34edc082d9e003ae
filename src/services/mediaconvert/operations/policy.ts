import {
  DeletePolicy$,
  type DeletePolicyRequest,
  type DeletePolicyResponse,
  GetPolicy$,
  type GetPolicyRequest,
  type GetPolicyResponse,
  PutPolicy$,
  type PutPolicyRequest,
  type PutPolicyResponse,
} from '@aws-sdk/client-mediaconvert';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { accountArn } from '../domain/names.ts';
import { completePolicy, POLICY_NAME, policyOf } from '../domain/input-policy.ts';
import { newResource, sealDocument } from '../domain/resource-document.ts';
import { scopeOf } from '../domain/scope.ts';

/** From where the inputs of an account's jobs may come. */
export const getPolicy = operation<MediaconvertContext, GetPolicyRequest, GetPolicyResponse>(GetPolicy$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:GetPolicy', resource: accountArn(scopeOf(call)) }],
  async handle(_input, call, { store, rootKey }) {
    return { Policy: policyOf(rootKey, await store.resources.find(scopeOf(call), 'policy', POLICY_NAME)) };
  },
});

export const putPolicy = operation<MediaconvertContext, PutPolicyRequest, PutPolicyResponse>(PutPolicy$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:PutPolicy', resource: accountArn(scopeOf(call)) }],
  async handle({ Policy: given = {} }, call, { store, rootKey, clock }) {
    const scope = scopeOf(call);
    const policy = completePolicy(given);
    const now = clock.now();
    const place = { ...scope, kind: 'policy', name: POLICY_NAME } as const;
    await store.resources.change(
      place,
      () => ({ document: sealDocument(rootKey, place, policy), updated_at: now }),
      newResource(rootKey, scope, { kind: 'policy', name: POLICY_NAME, document: policy, now }),
    );
    return { Policy: policy };
  },
});

export const deletePolicy = operation<MediaconvertContext, DeletePolicyRequest, DeletePolicyResponse>(DeletePolicy$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:DeletePolicy', resource: accountArn(scopeOf(call)) }],
  async handle(_input, call, { store }) {
    await store.resources.remove(scopeOf(call), 'policy', POLICY_NAME);
    return {};
  },
});
