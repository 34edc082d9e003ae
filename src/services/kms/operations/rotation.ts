import {
  DisableKeyRotation$,
  type DisableKeyRotationRequest,
  EnableKeyRotation$,
  type EnableKeyRotationRequest,
  GetKeyRotationStatus$,
  type GetKeyRotationStatusRequest,
  type GetKeyRotationStatusResponse,
  ListKeyRotations$,
  type ListKeyRotationsRequest,
  type ListKeyRotationsResponse,
  RotateKeyOnDemand$,
  type RotateKeyOnDemandRequest,
  type RotateKeyOnDemandResponse,
  type RotationsListEntry,
} from '@aws-sdk/client-kms';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import type { LocatedKey } from '../domain/key-locator.ts';
import { requireEnabled } from '../domain/key-locator.ts';
import { decodeMarker, pageOf } from '../domain/pagination.ts';
import { nextRotation, YEAR_IN_DAYS } from '../domain/rotation-schedule.ts';
import { conflict, invalidState, limitExceeded, unsupported } from '../errors.ts';
import { currentKey, type KeyMaterial, materialsOf } from '../materials/history.ts';
import { isEverywhere, rotateToImported } from '../materials/imports.ts';
import { rotate, scheduleOf } from '../materials/rotation.ts';
import type { KeyRecord, KeyRef } from '../tables.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const DEFAULT_LIMIT = 100;
const MAX_ON_DEMAND_ROTATIONS = 25;
/** So soon before an automatic rotation none is made on demand. */
const ROTATION_IS_NEAR_MS = 20 * 60_000;

export const enableKeyRotation = operation<KmsContext, EnableKeyRotationRequest, Record<string, never>>(
  EnableKeyRotation$,
  {
    authorize: authorizeOnKey<EnableKeyRotationRequest>('kms:EnableKeyRotation', (input) => ({
      'kms:RotationPeriodInDays': String(input.RotationPeriodInDays ?? YEAR_IN_DAYS),
    })),
    async handle(input, call, kms) {
      const { key } = await locateScheduled(input.KeyId, call, kms, 'kms:EnableKeyRotation');
      const period_days = input.RotationPeriodInDays ?? YEAR_IN_DAYS;
      await kms.store.write(async (queries) => {
        const before = await scheduleOf(queries, key);
        if (before?.period_days === period_days) return;
        const next_at = nextRotation(call.now, period_days);
        await queries
          .insertInto('kms_rotation_schedule')
          .values({ region: key.region, key_id: key.id, period_days, next_at })
          .onConflict((clash) => clash.columns(['region', 'key_id']).doUpdateSet({ period_days, next_at }))
          .execute();
      });
      return {};
    },
  },
);

export const disableKeyRotation = operation<KmsContext, DisableKeyRotationRequest, Record<string, never>>(
  DisableKeyRotation$,
  {
    authorize: authorizeOnKey('kms:DisableKeyRotation'),
    async handle(input, call, kms) {
      const { key } = await locateScheduled(input.KeyId, call, kms, 'kms:DisableKeyRotation');
      await kms.store.write((queries) =>
        queries
          .deleteFrom('kms_rotation_schedule')
          .where('region', '=', key.region)
          .where('key_id', '=', key.id)
          .execute(),
      );
      return {};
    },
  },
);

export const getKeyRotationStatus = operation<KmsContext, GetKeyRotationStatusRequest, GetKeyRotationStatusResponse>(
  GetKeyRotationStatus$,
  {
    authorize: authorizeOnKey('kms:GetKeyRotationStatus'),
    async handle(input, call, kms) {
      const { key, arn } = await locateByKeyId(input.KeyId, call, kms, 'kms:GetKeyRotationStatus');
      requireOwnMaterial(key, arn);
      const schedule = await scheduleOf(kms.store.read, scheduleHolder(key));
      const isDeleted = key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion';
      if (schedule === undefined || isDeleted) return { KeyId: key.id, KeyRotationEnabled: false };
      return {
        KeyId: key.id,
        KeyRotationEnabled: true,
        RotationPeriodInDays: schedule.period_days,
        NextRotationDate: new Date(schedule.next_at),
      };
    },
  },
);

export const rotateKeyOnDemand = operation<KmsContext, RotateKeyOnDemandRequest, RotateKeyOnDemandResponse>(
  RotateKeyOnDemand$,
  {
    authorize: authorizeOnKey('kms:RotateKeyOnDemand'),
    async handle(input, call, kms) {
      const located = await locateRotatable(input.KeyId, call, kms, 'kms:RotateKeyOnDemand');
      const { key, arn } = located;
      if (key.origin !== 'EXTERNAL') requireOwnMaterial(key, arn);
      requireEnabled(located);
      const rotation = await kms.store.write(async (queries) => {
        const fresh = await currentKey(queries, key);
        if (fresh?.state !== 'Enabled') throw invalidState(arn, 'is changing its state');
        const schedule = await scheduleOf(queries, key);
        if (schedule !== undefined && schedule.next_at - call.now <= ROTATION_IS_NEAR_MS) {
          throw conflict(`${arn} is about to be rotated automatically.`);
        }
        const rotations = (await materialsOf(queries, key, call.now)).filter(
          (made) => made.rotationType === 'ON_DEMAND',
        );
        if (rotations.length >= MAX_ON_DEMAND_ROTATIONS) {
          throw limitExceeded(
            `${arn} has been rotated on demand ${MAX_ON_DEMAND_ROTATIONS} times, which is the maximum.`,
          );
        }
        const current =
          key.origin === 'EXTERNAL'
            ? await rotateToImported(queries, key, arn, call.now)
            : await rotate(kms, queries, key, 'ON_DEMAND', call.now);
        return { key: fresh, previous: fresh.material_id, current };
      });
      kms.events.rotated(rotation, 'ON_DEMAND', call.now);
      return { KeyId: key.id };
    },
  },
);

export const listKeyRotations = operation<KmsContext, ListKeyRotationsRequest, ListKeyRotationsResponse>(
  ListKeyRotations$,
  {
    authorize: authorizeOnKey('kms:ListKeyRotations'),
    async handle(input, call, kms) {
      const { key, arn } = await locateByKeyId(input.KeyId, call, kms, 'kms:ListKeyRotations');
      const isRotatable = key.spec === 'SYMMETRIC_DEFAULT' && key.origin !== 'EXTERNAL_KEY_STORE';
      if (!isRotatable && input.IncludeKeyMaterial !== undefined) {
        throw unsupported(`IncludeKeyMaterial is not valid for ${arn}, which cannot be rotated.`);
      }
      const isAll = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL';
      const after = decodeMarker(input.Marker);
      const materials = isRotatable ? await materialsOf(kms.store.read, key, call.now) : [];
      const listed = materials.filter((made) => (isAll || made.rotatedAt !== null) && placeOf(made) > after);
      const { items, ...page } = pageOf(listed, input.Limit ?? DEFAULT_LIMIT, placeOf);
      const isPendingEverywhere = await isEveryPendingEverywhere(items, key, call.now, kms);
      return { Rotations: items.map((made) => entryOf(key, made, isPendingEverywhere)), ...page };
    },
  },
);

/** Sorts as the positions do. */
function placeOf({ position }: KeyMaterial): string {
  return String(position).padStart(6, '0');
}

/** True unless a replica lacks the material that is pending. */
async function isEveryPendingEverywhere(
  materials: readonly KeyMaterial[],
  key: KeyRecord,
  now: number,
  kms: KmsContext,
): Promise<boolean> {
  const pending = materials.find(({ isPending }) => isPending);
  return pending === undefined || (await isEverywhere(kms.store.read, key.id, pending.id, now));
}

function entryOf(key: KeyRecord, made: KeyMaterial, isPendingEverywhere: boolean): RotationsListEntry {
  const { id, isPresent, isPending, rotatedAt, rotationType } = made;
  const pendingState =
    isPendingEverywhere || !isPresent ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  return {
    KeyId: key.id,
    KeyMaterialId: id,
    KeyMaterialState: isPending ? pendingState : id === key.material_id ? 'CURRENT' : 'NON_CURRENT',
    ...(key.origin === 'EXTERNAL' && {
      ImportState: isPresent ? 'IMPORTED' : 'PENDING_IMPORT',
      ...(made.description !== null && { KeyMaterialDescription: made.description }),
      ...(made.expirationModel !== null && { ExpirationModel: made.expirationModel }),
      ...(made.validTo !== null && { ValidTo: new Date(made.validTo) }),
    }),
    ...(rotatedAt !== null &&
      rotationType !== null && { RotationDate: new Date(rotatedAt), RotationType: rotationType }),
  };
}

/** A key that may rotate by itself, and for which the caller may say whether it does. */
async function locateScheduled(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateRotatable(keyId, call, kms, action);
  requireOwnMaterial(located.key, located.arn);
  requireEnabled(located);
  return located;
}

/** @throws ServiceError UnsupportedOperationException for keys that have one material for ever, or rotate with another */
async function locateRotatable(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateByKeyId(keyId, call, kms, action);
  const { key, arn } = located;
  if (key.manager === 'AWS') throw unsupported(`${arn} is an AWS managed key: its rotation cannot be changed.`);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw unsupported(`${arn} key spec is ${key.spec}, which cannot be rotated.`);
  if (key.multi_region === 'REPLICA')
    throw unsupported(`${arn} is a multi-Region replica key: its primary rotates it.`);
  return located;
}

function requireOwnMaterial(key: KeyRecord, arn: string): void {
  if (key.origin !== 'AWS_KMS')
    throw unsupported(`${arn} origin is ${key.origin} which is not valid for this operation.`);
}

/** The key whose schedule counts: a replica rotates with its primary. */
function scheduleHolder(key: KeyRecord): KeyRef {
  return { region: key.primary_region ?? key.region, id: key.id };
}
