import { type Randomness, UPPER_ALPHANUMERIC } from '#kernel/randomness.ts';
import type { IamApi } from '#services/iam/api.ts';
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
  if ((await iam.accounts.list()).length > 0) return [];
  const { accountId, rootAccessKeyId, rootSecretAccessKey } = config;
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
