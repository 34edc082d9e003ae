import {
  Sign$,
  type SignRequest,
  type SignResponse,
  Verify$,
  type VerifyRequest,
  type VerifyResponse,
} from '@aws-sdk/client-kms';
import { type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { checkMessage, type SignedMessage, signMessage, verifyMessage } from '../domain/signatures.ts';
import { invalidSignature, validation } from '../errors.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { endDryRun } from './crypto-parameters.ts';
import { locateForUse } from './use-key.ts';

export const sign = operation<KmsContext, SignRequest, SignResponse>(Sign$, {
  isReadOnly: true,
  secretMembers: ['Message'],
  authorize: authorizeOnKey('kms:Sign', conditionsOf),
  async handle(input, call, kms) {
    const { located, signed } = await prepare(input, call, kms, 'Sign');
    endDryRun(input);
    const pair = await kms.materials.openPair(located.key, located.key.material_id);
    return { KeyId: located.arn, Signature: await signMessage(pair, signed), SigningAlgorithm: signed.algorithm };
  },
});

export const verify = operation<KmsContext, VerifyRequest, VerifyResponse>(Verify$, {
  isReadOnly: true,
  secretMembers: ['Message'],
  authorize: authorizeOnKey('kms:Verify', conditionsOf),
  async handle(input, call, kms) {
    const { located, signed } = await prepare(input, call, kms, 'Verify');
    endDryRun(input);
    const pair = await kms.materials.openPair(located.key, located.key.material_id);
    if (!(await verifyMessage(pair, signed, input.Signature ?? new Uint8Array()))) throw invalidSignature();
    return { KeyId: located.arn, SignatureValid: true, SigningAlgorithm: signed.algorithm };
  },
});

type SignatureInput = Pick<SignRequest, 'KeyId' | 'Message' | 'MessageType' | 'SigningAlgorithm' | 'GrantTokens'>;

function conditionsOf(input: SignatureInput): ConditionContext {
  return { 'kms:SigningAlgorithm': input.SigningAlgorithm, 'kms:MessageType': input.MessageType ?? 'RAW' };
}

async function prepare(input: SignatureInput, call: Call, kms: KmsContext, operationName: 'Sign' | 'Verify') {
  const algorithm = input.SigningAlgorithm;
  const use = { operation: operationName, usage: 'SIGN_VERIFY', algorithm } as const;
  const located = await locateForUse(input, call, kms, use);
  if (algorithm === undefined) throw validation('SigningAlgorithm is required.');
  const signed: SignedMessage = {
    spec: located.key.spec,
    algorithm,
    messageType: input.MessageType ?? 'RAW',
    message: input.Message ?? new Uint8Array(),
  };
  checkMessage(signed);
  return { located, signed };
}
