import type { RootKey } from '#crypto/root-key.ts';
import { formatArn } from '#kernel/arn.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';
import type { MfaDeviceRecord } from '../records/mfa-devices.ts';
import type { IamQueries } from '../store.ts';
import { findStep, stepOf } from './totp.ts';

/** As AWS: a code is good in its own step and in the one before and after. */
const REACH = 1;
/** Two codes in a row are hardly guessed: here the device's clock may be far off, by ten minutes. */
const PAIR_REACH = 20;
const MAX_FAILURES = 5;
const FAILURE_WINDOW_MS = 5 * 60_000;

export function mfaSerial(parts: { readonly account: string; readonly path: string; readonly name: string }): string {
  return formatArn({ service: 'iam', account: parts.account, resource: `mfa${parts.path}${parts.name}` });
}

/** Whether a device is assigned to the account's root user, who has no record. */
export function isOfRoot(device: Pick<MfaDeviceRecord, 'user_id' | 'enabled_at'>): boolean {
  return device.user_id === null && device.enabled_at !== null;
}

/** INVARIANT: the seed lies under the root key, bound to its device. */
export function sealSeed(seed: Uint8Array, serial: string, rootKey: RootKey): Buffer {
  return rootKey.seal(seed, sealContext(serial));
}

function sealContext(serial: string): string {
  return `iam/mfa-device/${serial}`;
}

/** What came of a code. `locked`: too many were wrong lately, so that this one was not looked at. */
export type CodeVerdict = 'right' | 'wrong' | 'locked';

/**
 * Checks a code of a device, or two in a row, and keeps what follows of it: no code is taken twice, and after some wrong
 * ones none is looked at for a while.
 *
 * @param codes one, or two of two steps that follow each other, which also tell how far the device's clock is off
 * @param now milliseconds since the epoch
 */
export async function takeCode(
  transaction: IamQueries,
  device: MfaDeviceRecord,
  codes: readonly string[],
  now: number,
  rootKey: RootKey,
): Promise<CodeVerdict> {
  const isFresh = now - device.failures_since >= FAILURE_WINDOW_MS;
  const failures = isFresh ? 0 : device.failures;
  if (failures >= MAX_FAILURES) return 'locked';
  const seed = rootKey.open(device.sealed, sealContext(device.serial));
  const isPair = codes.length > 1;
  const center = stepOf(now) + (isPair ? 0 : device.drift);
  const found = findStep(seed, codes, center, isPair ? PAIR_REACH : REACH, device.last_step);
  seed.fill(0);
  const update = transaction.updateTable('iam_mfa_device').where('serial', '=', device.serial);
  if (found === undefined) {
    const since = isFresh ? now : device.failures_since;
    await update.set({ failures: failures + 1, failures_since: since }).execute();
    return 'wrong';
  }
  const lastStep = found + codes.length - 1;
  // The second code of a pair is the device's current one.
  const drift = isPair ? driftOf(lastStep - stepOf(now)) : device.drift;
  await update.set({ last_step: lastStep, drift, failures: 0, failures_since: 0 }).execute();
  return 'right';
}

/** A clock that is right within the usual reach is not corrected. */
function driftOf(steps: number): number {
  return Math.abs(steps) <= REACH ? 0 : steps;
}

export const mfaSeedColumn: RootSealedColumn = {
  table: 'iam_mfa_device',
  column: 'sealed',
  contextOf: (row) => sealContext(String(row['serial'])),
};
