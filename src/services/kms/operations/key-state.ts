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
import { scheduleDeletion } from '../materials/destruction.ts';
import { isComplete } from '../materials/imports.ts';
import type { KeyRecord, KmsTransaction } from '../tables.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { authorizeUnused } from './authorize-unused.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const SWITCHABLE: readonly KeyState[] = ['Enabled', 'Disabled'];
/** A key whose key store is disconnected is switched too: that shows when it is connected again. */
const isSwitchable = (state: KeyState): boolean => state === 'Unavailable' || SWITCHABLE.includes(state);
const DEFAULT_WINDOW_DAYS = 30;

export const enableKey = operation<KmsContext, EnableKeyRequest, Record<string, never>>(EnableKey$, {
  authorize: authorizeOnKey('kms:EnableKey'),
  async handle(input, call, kms) {
    await changeKey(kms, await locateForSwitch(input.KeyId, call, kms, 'kms:EnableKey'), () => ({ state: 'Enabled' }));
    return {};
  },
});

export const disableKey = operation<KmsContext, DisableKeyRequest, Record<string, never>>(DisableKey$, {
  authorize: authorizeUnused('kms:DisableKey'),
  async handle(input, call, kms) {
    await changeKey(kms, await locateForSwitch(input.KeyId, call, kms, 'kms:DisableKey'), () => ({
      state: 'Disabled',
    }));
    return {};
  },
});

export const updateKeyDescription = operation<KmsContext, UpdateKeyDescriptionRequest, Record<string, never>>(
  UpdateKeyDescription$,
  {
    authorize: authorizeOnKey('kms:UpdateKeyDescription'),
    async handle(input, call, kms) {
      const located = await locateForChange(input.KeyId, call, kms, 'kms:UpdateKeyDescription');
      await changeKey(kms, located, () => ({ description: input.Description ?? '' }));
      return {};
    },
  },
);

export const scheduleKeyDeletion = operation<KmsContext, ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse>(
  ScheduleKeyDeletion$,
  {
    authorize: authorizeUnused<ScheduleKeyDeletionRequest>('kms:ScheduleKeyDeletion', (input) => ({
      'kms:ScheduleKeyDeletionPendingWindowInDays': String(input.PendingWindowInDays ?? DEFAULT_WINDOW_DAYS),
    })),
    async handle(input, call, kms) {
      const days = input.PendingWindowInDays ?? DEFAULT_WINDOW_DAYS;
      if (days < 7 || days > 30) throw validation('PendingWindowInDays must be between 7 and 30.');
      const located = await locateForChange(input.KeyId, call, kms, 'kms:ScheduleKeyDeletion');
      const { state, deletion_at } = await changeKey(kms, located, (queries) =>
        scheduleDeletion(queries, located.key, days, call.now),
      );
      return {
        KeyId: located.arn,
        ...(deletion_at != null && { DeletionDate: new Date(deletion_at) }),
        ...(state !== undefined && { KeyState: state }),
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
          .where((where) =>
            where.or([
              where('state', '=', 'PendingReplicaDeletion'),
              where.and([where('state', '=', 'PendingDeletion'), where('deletion_at', '>', call.now)]),
            ]),
          )
          .executeTakeFirst();
        if (updated.numUpdatedRows === 0n) throw invalidState(arn, 'is not pending deletion');
        await transaction
          .deleteFrom('kms_waiting_primary')
          .where('region', '=', key.region)
          .where('key_id', '=', key.id)
          .execute();
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

/** Changes a key unless it came into another state meanwhile. Returns what was changed. */
async function changeKey(
  kms: KmsContext,
  located: LocatedKey,
  changeOf: (queries: KmsTransaction) => KeyChange | Promise<KeyChange>,
): Promise<KeyChange> {
  return await kms.store.write(async (queries) => {
    const change = await changeOf(queries);
    const updated = await queries
      .updateTable('kms_key')
      .set(change)
      .where('region', '=', located.key.region)
      .where('id', '=', located.key.id)
      .where('state', 'in', isSwitchable(located.key.state) ? SWITCHABLE : [located.key.state])
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) throw invalidState(located.arn, 'is changing its state');
    return change;
  });
}

type KeyChange = Partial<Pick<KeyRecord, 'state' | 'deletion_at' | 'description'>>;
