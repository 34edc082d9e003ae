import { systemClock } from '#kernel/clock.ts';
import { type Randomness, UPPER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { IamApi } from '#services/iam/api.ts';
import { RowDamageError } from '#storage/row-seal.ts';
import type { Config } from './config.ts';
import type { Installation } from './installation.ts';
import { saveRootCredentials } from './root-credentials.ts';

/**
 * On a first start: the account and its root user's credentials, given or made at random.
 *
 * @returns what the operator must be told
 */
export async function createFirstAccount(
  config: Config,
  installation: Installation,
  iam: IamApi,
  randomness: Randomness,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const { accountId, rootAccessKeyId, rootSecretAccessKey } = config;
  if (await hasAccounts(iam)) return await settingsWithoutEffect(config, iam, environment);
  if (rootAccessKeyId !== undefined && rootSecretAccessKey !== undefined) {
    await iam.accounts.create([{ accountId, accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey }]);
    return [];
  }
  const accessKeyId = `AKIA${randomness.text(16, UPPER_ALPHANUMERIC)}`;
  const secretAccessKey = randomness.bytes(30).toString('base64');
  // The file first: an account whose credentials nobody has would be of no use, and could not be made again.
  const path = await saveRootCredentials(installation.id, { accountId, accessKeyId, secretAccessKey }, environment);
  await iam.accounts.create([{ accountId, accessKeyId, secretAccessKey }]);
  return [`The root user's credentials of account ${accountId} are in ${path}.`];
}

/** A damaged account is one too: `coffer verify` names it, and must be able to start. */
async function hasAccounts(iam: IamApi): Promise<boolean> {
  try {
    return (await iam.accounts.list()).length > 0;
  } catch (error) {
    if (error instanceof RowDamageError) return true;
    throw error;
  }
}

/** Settings that count at the first start only are told where they say something else than what is stored. */
async function settingsWithoutEffect(
  config: Config,
  iam: IamApi,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const notices: string[] = [];
  const { accountId, rootAccessKeyId, rootSecretAccessKey } = config;
  const isAccountGiven = (environment['COFFER_ACCOUNT_ID'] ?? '') !== '';
  const account = await iam.accounts.find(accountId).catch(() => 'damaged');
  if (isAccountGiven && account === undefined) {
    notices.push(`COFFER_ACCOUNT_ID counts at the first start only: there is no account ${accountId} here.`);
  }
  if (rootAccessKeyId !== undefined) {
    // A secret that does not open is for `coffer verify` to name; the server starts all the same.
    const found = await iam.findCredentials(rootAccessKeyId, undefined, systemClock.now()).catch(() => undefined);
    if (typeof found === 'string' || found?.secretAccessKey !== rootSecretAccessKey) {
      notices.push(
        'COFFER_ROOT_ACCESS_KEY_ID and its secret count at the first start only: they are no access key here.',
      );
    }
  }
  return notices;
}
