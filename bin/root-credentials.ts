import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, ConfigError, keyFolderOf } from './config.ts';
import { writeFileDurably } from './write-file-durably.ts';

/** The root user's credentials of the first account, as `coffer env` hands them out. */
export interface RootCredentials {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Beside the root keys, outside the data folder: nothing in the data folder is a secret in the clear. */
function fileOf(installationId: string, environment: NodeJS.ProcessEnv): string {
  return join(dirname(keyFolderOf(environment)), 'credentials', `${installationId}.json`);
}

export async function saveRootCredentials(
  installationId: string,
  credentials: RootCredentials,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const path = fileOf(installationId, environment);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileDurably(path, `${JSON.stringify(credentials, null, 2)}\n`, 0o600);
  return path;
}

/** @throws ConfigError when the credentials are neither in the environment nor in the file */
export async function loadRootCredentials(
  installationId: string,
  config: Config,
  environment: NodeJS.ProcessEnv,
): Promise<RootCredentials> {
  if (config.rootAccessKeyId !== undefined && config.rootSecretAccessKey !== undefined) {
    const { accountId, rootAccessKeyId: accessKeyId, rootSecretAccessKey: secretAccessKey } = config;
    return { accountId, accessKeyId, secretAccessKey };
  }
  const path = fileOf(installationId, environment);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RootCredentials;
  } catch {
    throw new ConfigError(
      `The root credentials are not in ${path}. Give them as COFFER_ROOT_ACCESS_KEY_ID and COFFER_ROOT_SECRET_ACCESS_KEY.`,
    );
  }
}
