import {
  CancelKeyDeletion$,
  type CancelKeyDeletionRequest,
  type CancelKeyDeletionResponse,
  DisableKey$,
  type DisableKeyRequest,
  EnableKey$,
  type EnableKeyRequest,
  type KeyState,
  ScheduleKeyDeletion$,
  type ScheduleKeyDeletionRequest,
  type ScheduleKeyDeletionResponse,
  UpdateKeyDescription$,
  type UpdateKeyDescriptionRequest,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { deletionProblem, type LocatedKey, stateProblem } from '../domain/key-locator.ts';
import { invalidState, unsupported, validation } from '../errors.ts';
import { isComplete } from '../materials/imports.ts';
import type { KeyRecord } from '../store.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const DAY = 86_400_000;
const SWITCHABLE: readonly KeyState[] = ['Enabled', 'Disabled'];
/** A key whose key store is disconnected is switched too: that shows when it is connected again. */
const isSwitchable = (state: KeyState): boolean => state === 'Unavailable' || SWITCHABLE.includes(state);
const DEFAULT_WINDOW_DAYS = 30;

export const enableKey = operation<KmsContext, EnableKeyRequest, Record<string, never>>(EnableKey$, {
  authorize: authorizeOnKey('kms:EnableKey'),
  async handle(input, call, kms) {
    await changeKey(kms, await locateForSwitch(input.KeyId, call, kms, 'kms:EnableKey'), { state: 'Enabled' });
    return {};
  },
});

export const disableKey = operation<KmsContext, DisableKeyRequest, Record<string, never>>(DisableKey$, {
  authorize: authorizeOnKey('kms:DisableKey'),
  async handle(input, call, kms) {
    await changeKey(kms, await locateForSwitch(input.KeyId, call, kms, 'kms:DisableKey'), { state: 'Disabled' });
    return {};
  },
});

export const updateKeyDescription = operation<KmsContext, UpdateKeyDescriptionRequest, Record<string, never>>(
  UpdateKeyDescription$,
  {
    authorize: authorizeOnKey('kms:UpdateKeyDescription'),
    async handle(input, call, kms) {
      const located = await locateForChange(input.KeyId, call, kms, 'kms:UpdateKeyDescription');
      await changeKey(kms, located, { description: input.Description ?? '' });
      return {};
    },
  },
);

export const scheduleKeyDeletion = operation<KmsContext, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse>(
  ScheduleKeyDeletion$,
  {
    authorize: authorizeOnKey<ScheduleKeyDeletionRequest>('kms:ScheduleKeyDeletion', (input) => ({
      'kms:ScheduleKeyDeletionPendingWindowInDays': String(input.PendingWindowInDays ?? DEFAULT_WINDOW_DAYS),
    })),
    async handle(input, call, kms) {
      const days = input.PendingWindowInDays ?? DEFAULT_WINDOW_DAYS;
      if (days < 7 || days > 30) throw validation('PendingWindowInDays must be between 7 and 30.');
      const located = await locateForChange(input.KeyId, call, kms, 'kms:ScheduleKeyDeletion');
      const deletionAt = call.now + days * DAY;
      await changeKey(kms, located, { state: 'PendingDeletion', deletion_at: deletionAt });
      return {
        KeyId: located.arn,
        DeletionDate: new Date(deletionAt),
        KeyState: 'PendingDeletion',
        PendingWindowInDays: days,
      };
    },
  },
);

export const cancelKeyDeletion = operation<KmsContext, CancelKeyDeletionRequest, CancelKeyDeletionResponse>(
  CancelKeyDeletion$,
  {
    authorize: authorizeOnKey('kms:CancelKeyDeletion'),
    async handle(input, call, kms) {
      const { key, arn } = await locateCustomerKey(input.KeyId, call, kms, 'kms:CancelKeyDeletion');
      await kms.store.write(async (transaction) => {
        const isUsable = key.origin !== 'EXTERNAL' || (await isComplete(transaction, key, call.now));
        const updated = await transaction
          .updateTable('kms_key')
          .set({ state: isUsable ? 'Disabled' : 'PendingImport', deletion_at: null })
          .where('region', '=', key.region)
          .where('id', '=', key.id)
          .where('state', '=', 'PendingDeletion')
          .where('deletion_at', '>', call.now)
          .executeTakeFirst();
        if (updated.numUpdatedRows === 0n) throw invalidState(arn, 'is not pending deletion');
      });
      return { KeyId: arn };
    },
  },
);

async function locateCustomerKey(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateByKeyId(keyId, call, kms, action);
  if (located.key.manager === 'AWS') throw unsupported(`${located.arn} is an AWS managed key: it cannot be changed.`);
  return located;
}

async function locateForChange(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateCustomerKey(keyId, call, kms, action);
  const problem = deletionProblem(located.key.state);
  if (problem !== undefined) throw invalidState(located.arn, problem);
  return located;
}

async function locateForSwitch(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateForChange(keyId, call, kms, action);
  const problem = stateProblem(located.key.state);
  if (problem !== undefined && !isSwitchable(located.key.state)) throw invalidState(located.arn, problem);
  return located;
}

/** Changes a key unless it came into another state meanwhile. */
async function changeKey(
  kms: KmsContext,
  located: LocatedKey,
  change: Partial<Pick<KeyRecord, 'state' | 'deletion_at' | 'description'>>,
): Promise<void> {
  await kms.store.write(async (transaction) => {
    const updated = await transaction
      .updateTable('kms_key')
      .set(change)
      .where('region', '=', located.key.region)
      .where('id', '=', located.key.id)
      .where('state', 'in', isSwitchable(located.key.state) ? SWITCHABLE : [located.key.state])
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) throw invalidState(located.arn, 'is changing its state');
  });
}
