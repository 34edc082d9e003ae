import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  GenerateMac$,
  type GenerateMacRequest,
  type GenerateMacResponse,
  VerifyMac$,
  type VerifyMacRequest,
  type VerifyMacResponse,
} from '@aws-sdk/client-kms';
import { type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { invalidMac } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { endDryRun } from './crypto-parameters.ts';
import { locateForUse } from './use-key.ts';

export const generateMac = operation<KmsContext, GenerateMacRequest, GenerateMacResponse>(GenerateMac$, {
  isReadOnly: true,
  secretMembers: ['Message'],
  authorize: authorizeOnKey('kms:GenerateMac', conditionsOf),
  async handle(input, call, kms) {
    const located = await locate(input, call, kms, 'GenerateMac');
    endDryRun(input);
    return { KeyId: located.arn, Mac: await macOf(input, located, kms), MacAlgorithm: input.MacAlgorithm };
  },
});

export const verifyMac = operation<KmsContext, VerifyMacRequest, VerifyMacResponse>(VerifyMac$, {
  isReadOnly: true,
  secretMembers: ['Message', 'Mac'],
  authorize: authorizeOnKey('kms:VerifyMac', conditionsOf),
  async handle(input, call, kms) {
    const located = await locate(input, call, kms, 'VerifyMac');
    endDryRun(input);
    const mac = await macOf(input, located, kms);
    const given = input.Mac ?? new Uint8Array();
    if (given.length !== mac.length || !timingSafeEqual(given, mac)) throw invalidMac();
    return { KeyId: located.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
  },
});

type MacInput = Pick<GenerateMacRequest, 'KeyId' | 'Message' | 'MacAlgorithm' | 'GrantTokens'>;

function conditionsOf(input: MacInput): ConditionContext {
  return { 'kms:MacAlgorithm': input.MacAlgorithm };
}

function locate(input: MacInput, call: Call, kms: KmsContext, operationName: string): Promise<LocatedKey> {
  const use = { operation: operationName, usage: 'GENERATE_VERIFY_MAC', algorithm: input.MacAlgorithm } as const;
  return locateForUse(input, call, kms, use);
}

/** HMAC (RFC 2104). */
async function macOf(input: MacInput, { key }: LocatedKey, kms: KmsContext): Promise<Buffer> {
  const hash = (input.MacAlgorithm ?? '').replace('HMAC_SHA_', 'sha');
  const material = await kms.materials.open(key, key.material_id);
  return createHmac(hash, material)
    .update(input.Message ?? new Uint8Array())
    .digest();
}
