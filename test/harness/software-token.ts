import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export const TOKEN_PIN = '246813579';

/** Why tests with a token cannot run here; `false` where they can. */
export function tokenIsMissing(): string | false {
  const isThere = MODULES.some((path) => existsSync(path)) && spawnSync('softhsm2-util', ['--version']).status === 0;
  return isThere ? false : 'SoftHSM2 is not installed (Debian: softhsm2)';
}

/** Tokens of SoftHSM2 in a folder of their own. */
export class SoftwareTokens {
  readonly module = MODULES.find((path) => existsSync(path)) ?? '';
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(folder: string): Promise<SoftwareTokens> {
    const tokens = new SoftwareTokens(folder);
    await mkdir(tokens.folder, { recursive: true });
    await writeFile(
      join(folder, 'softhsm2.conf'),
      `directories.tokendir = ${tokens.folder}\nobjectstore.backend = file\n`,
    );
    return tokens;
  }

  /** Where the tokens lie. */
  get folder(): string {
    return join(this.#folder, 'tokens');
  }

  get environment(): NodeJS.ProcessEnv {
    return { SOFTHSM2_CONF: join(this.#folder, 'softhsm2.conf') };
  }

  add(label: string): void {
    const args = ['--init-token', '--free', '--label', label, '--pin', TOKEN_PIN, '--so-pin', '97531'];
    const { status, stderr } = spawnSync('softhsm2-util', args, {
      env: { ...process.env, ...this.environment },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`softhsm2-util: ${stderr}`);
  }

  async removeAll(): Promise<void> {
    await rm(this.folder, { recursive: true });
    await mkdir(this.folder);
  }
}
