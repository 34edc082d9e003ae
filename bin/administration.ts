import { isAccountId, isRegion } from '#kernel/ids.ts';
import { AccountExistsError } from '#services/iam/api.ts';
import { AdministrationError } from './administration-error.ts';
import type { ControlReply, ControlRequest } from './control-protocol.ts';
import type { Platform } from './platform.ts';
import { countRequests, reportKeyUsage } from './usage.ts';

const ACCOUNTS_OF_ONE_COMMIT = 500;
const MAX_ACCOUNTS = 100_000;

/**
 * What the operator may do beside the AWS API: by the rights on the data folder, not by an AWS principal. The same code
 * serves the running server's control socket and the commands that open the data folder themselves.
 */
export class Administration {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** @throws AdministrationError */
  async *run(request: ControlRequest): AsyncGenerator<ControlReply> {
    switch (request.command) {
      case 'status':
        yield { type: 'item', value: { endpoint: this.#platform.endpoint, pid: process.pid } };
        return;
      case 'account-create':
        return yield* this.#createAccounts(request.accountId, request.count);
      case 'account-list':
        for (const account of await this.#platform.iam.accounts.list()) yield { type: 'item', value: account };
        return;
      case 'account-delete':
        return yield* this.#deleteAccount(request.accountId);
      case 'verify':
        return yield* this.#platform.verify(request.bucket);
      case 'rewrap':
        return yield* this.#platform.rewrap(request.bucket, request.key);
      case 'root-key-status':
        yield { type: 'item', value: this.#platform.rootKeyStatus() };
        return;
      case 'root-key-rotate':
        return yield* this.#platform.rotateRootKey(request);
      case 'usage':
        return yield* countRequests(this.#platform, request);
      case 'key-usage':
        return yield* reportKeyUsage(this.#platform, request);
      case 'explain':
        for (const value of await this.#platform.explain(request.subject)) yield { type: 'item', value };
        return;
      case 'least-privilege':
        return yield* this.#platform.leastPrivilege(request);
      case 'mediaconvert-preflight':
        return yield* this.#preflight(request.account, request.region, request.request);
      case 'mediaconvert-support-bundle':
        yield { type: 'item', value: await this.#platform.supportReport(request.job) };
        return;
      case 'events':
        for await (const value of this.#platform.readEvents(request)) yield { type: 'item', value };
        return;
    }
  }

  async *#preflight(account: string, region: string, request: object): AsyncGenerator<ControlReply> {
    if (!isAccountId(account)) throw new AdministrationError(`An account ID is twelve digits, not '${account}'.`);
    if (!isRegion(region)) throw new AdministrationError(`'${region}' is not a Region.`);
    for (const value of await this.#platform.preflight(account, region, request)) yield { type: 'item', value };
  }

  async *#createAccounts(accountId: string | undefined, count: number): AsyncGenerator<ControlReply> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_ACCOUNTS) {
      throw new AdministrationError(`--count is a whole number from 1 to ${MAX_ACCOUNTS}.`);
    }
    if (accountId !== undefined && count !== 1)
      throw new AdministrationError('An account ID goes with --count 1 only.');
    if (accountId !== undefined && !isAccountId(accountId)) {
      throw new AdministrationError(`An account ID is twelve digits, not '${accountId}'.`);
    }
    for (let done = 0; done < count; ) {
      const size = Math.min(ACCOUNTS_OF_ONE_COMMIT, count - done);
      const requests = Array.from({ length: size }, () => (accountId === undefined ? {} : { accountId }));
      const created = await this.#platform.iam.accounts.create(requests).catch((error: unknown) => {
        throw error instanceof AccountExistsError ? new AdministrationError(error.message) : error;
      });
      done += created.length;
      for (const { accountId: id, accessKeyId, secretAccessKey, canonicalId, email } of created) {
        yield { type: 'item', value: { accountId: id, accessKeyId, secretAccessKey, canonicalId, email } };
      }
      yield { type: 'progress', done, total: count, what: 'accounts created' };
    }
  }

  /** The account goes first, and its credentials with it; then what it owned. A second run finishes a broken first one. */
  async *#deleteAccount(accountId: string): AsyncGenerator<ControlReply> {
    if (!isAccountId(accountId)) throw new AdministrationError(`An account ID is twelve digits, not '${accountId}'.`);
    const wasThere = await this.#platform.iam.accounts.delete(accountId);
    const steps = this.#platform.purgeSteps(accountId);
    for (const [index, step] of steps.entries()) {
      yield { type: 'progress', done: index, total: steps.length, what: step.what };
      await step.run();
    }
    if (!wasThere) throw new AdministrationError(`There is no account ${accountId}.`);
    yield { type: 'item', value: { deleted: accountId } };
  }
}
