import {
  GetRandomPassword$,
  type GetRandomPasswordRequest,
  type GetRandomPasswordResponse,
} from '@aws-sdk/client-secrets-manager';
import { operation } from '#kernel/operation.ts';
import type { SecretsManagerContext } from '../context.ts';
import { randomPassword } from '../domain/random-password.ts';

export const getRandomPassword = operation<SecretsManagerContext, GetRandomPasswordRequest, GetRandomPasswordResponse>(
  GetRandomPassword$,
  {
    authorize: () => [{ action: 'secretsmanager:GetRandomPassword', resource: '*' }],
    handle: (input, _call, { randomness }) => ({ RandomPassword: randomPassword(input, randomness) }),
  },
);
