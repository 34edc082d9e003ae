import type { RootKey } from '#crypto/root-key.ts';
import type { AccountId } from '#kernel/ids.ts';
import { type CodeVerdict, isOfRoot, takeCode } from './domain/mfa-devices.ts';
import type { IamStore } from './store.ts';

/** The codes of MFA devices, for STS and S3. */
export class MfaCodes {
  readonly #store: IamStore;
  readonly #rootKey: RootKey;

  constructor(store: IamStore, rootKey: RootKey) {
    this.#store = store;
    this.#rootKey = rootKey;
  }

  /**
   * Takes a code, once.
   * @param userId AIDA…
   * @param now milliseconds since the epoch
   * @returns `unknown` when the device is not one of this user's
   */
  async take(userId: string, serial: string, code: string, now: number): Promise<CodeVerdict | 'unknown'> {
    return await this.#store.write(async (transaction) => {
      const device = await transaction
        .selectFrom('iam_mfa_device')
        .selectAll()
        .where('serial', '=', serial)
        .executeTakeFirst();
      if (device === undefined || device.user_id !== userId) return 'unknown';
      return await takeCode(transaction, device, [code], now, this.#rootKey);
    });
  }

  /** Takes a code, once, of a device of an account's root user. @param now milliseconds since the epoch */
  async takeOfRoot(account: AccountId, serial: string, code: string, now: number): Promise<boolean> {
    return await this.#store.write(async (transaction) => {
      const device = await transaction
        .selectFrom('iam_mfa_device')
        .selectAll()
        .where('serial', '=', serial)
        .where('account', '=', account)
        .executeTakeFirst();
      if (device === undefined || !isOfRoot(device)) return false;
      return (await takeCode(transaction, device, [code], now, this.#rootKey)) === 'right';
    });
  }
}
