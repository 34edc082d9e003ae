import { resolve } from 'node:path';
import { readPassphraseFile } from '#crypto/root-key-passphrase.ts';
import { type CommandLineOptions, type Config, ConfigError, readConfig } from '../config.ts';
import { runOperatorCommand } from '../operator-command.ts';
import type { RootKeyStatus, RotateItem, ToldRootKey } from '../root-key/root-key-administration.ts';
import { pkcs11Target } from '../root-key/root-key-sources.ts';
import type { RotateRequest } from '../root-key/rotate-request.ts';

/** Prints which root key everything is under. */
export async function rootKeyStatus(options: CommandLineOptions & { readonly json?: boolean }): Promise<void> {
  const status = await readStatus(options);
  console.log(options.json === true ? JSON.stringify(status, null, 2) : toText(status));
}

/** Puts everything under a new root key. */
export async function rootKeyRotate(
  options: CommandLineOptions & { readonly to?: string; readonly keyFile?: string; readonly endSessions?: boolean },
): Promise<void> {
  const config = readConfig(options, process.env);
  const { rootKey } = await readStatus(options);
  const to = await targetOf(options, rootKey, config);
  const request = { command: 'root-key-rotate', to, endsSessions: options.endSessions === true } as const;
  for await (const value of runOperatorCommand(options, request)) {
    const item = value as RotateItem;
    if ('notice' in item) {
      console.log(item.notice);
      continue;
    }
    const { rootKey: present, from, renewed, damaged } = item.changed;
    console.log(`The root key is now ${present.id} (${placeOf(present)}); ${renewed} rows were renewed.`);
    console.log(
      `The former one, ${from.id} (${placeOf(from)}), opens nothing here any longer. It opens backups from before: keep it as long as you keep them.`,
    );
    for (const line of nextStart(present)) console.log(line);
    if (damaged === 0) continue;
    console.error(`coffer: ${damaged} rows were damaged before, and are left as they are. coffer verify names them.`);
    process.exitCode = 1;
  }
}

async function readStatus(options: CommandLineOptions): Promise<RootKeyStatus> {
  const [status] = await Array.fromAsync(runOperatorCommand(options, { command: 'root-key-status' }));
  return status as RootKeyStatus;
}

async function targetOf(
  { to: provider, keyFile }: { readonly to?: string; readonly keyFile?: string },
  rootKey: ToldRootKey,
  config: Config,
): Promise<RotateRequest['to']> {
  const wanted = provider ?? (keyFile === undefined ? rootKey.provider : 'key-file');
  if (keyFile !== undefined && wanted !== 'key-file') throw new ConfigError('--key-file goes with --to key-file.');
  switch (wanted) {
    case 'key-file':
      return { provider: 'key-file', ...(keyFile !== undefined && { path: resolve(keyFile) }) };
    case 'passphrase':
      return { provider: 'passphrase', passphrase: await newPassphrase() };
    case 'pkcs11': {
      const { module, token, key } = rootKey;
      const given = config.pkcs11;
      const target = await pkcs11Target({
        pkcs11: { ...given, module: given.module ?? module, token: given.token ?? token, key: given.key ?? key },
      });
      return target;
    }
    default:
      throw new ConfigError(`--to is key-file, passphrase or pkcs11, not '${wanted}'.`);
  }
}

async function newPassphrase(): Promise<string> {
  const { COFFER_NEW_ROOT_PASSPHRASE: passphrase, COFFER_NEW_ROOT_PASSPHRASE_FILE: file } = process.env;
  if ((passphrase === undefined) === (file === undefined)) {
    throw new ConfigError('Give the new passphrase in COFFER_NEW_ROOT_PASSPHRASE_FILE or COFFER_NEW_ROOT_PASSPHRASE.');
  }
  return file === undefined ? (passphrase ?? '') : readPassphraseFile(file);
}

/** What the next start needs that the last one may not have had. */
function nextStart({ provider, path }: ToldRootKey): readonly string[] {
  switch (provider) {
    case 'key-file':
      return [`The next start reads it from ${path}. Where COFFER_ROOT_KEY_FILE is set, set it to that file.`];
    case 'passphrase':
      return ['The next start wants the new passphrase: COFFER_ROOT_PASSPHRASE_FILE or COFFER_ROOT_PASSPHRASE.'];
    case 'pkcs11':
      return ['The next start wants the PIN of the token: COFFER_PKCS11_PIN_FILE or COFFER_PKCS11_PIN.'];
  }
}

function placeOf({ provider, path, token, key }: ToldRootKey): string {
  switch (provider) {
    case 'key-file':
      return `key file ${path}`;
    case 'passphrase':
      return 'passphrase';
    case 'pkcs11':
      return `PKCS#11: token '${token}', key '${key}'`;
  }
}

function toText({ rootKey, change, sealed }: RootKeyStatus): string {
  const lines = [`Root key ${rootKey.id}: ${placeOf(rootKey)}, made ${rootKey.madeAt}`];
  if (change !== undefined) {
    const { from, since, rows, total } = change;
    const far = rows === undefined ? '' : `; ${rows} of ${total} rows looked at in this pass`;
    lines.push(`It is being changed since ${since}, from ${from.id} (${placeOf(from)})${far}.`);
  }
  lines.push('', 'Sealed under it:');
  for (const [place, counts] of Object.entries(sealed)) {
    for (const [id, count] of Object.entries(counts)) {
      const under = id === rootKey.id ? '' : id === '' ? '  (in the earlier form, without an id)' : `  under ${id}`;
      lines.push(`${String(count).padStart(9)}  ${place}${under}`);
    }
  }
  return lines.join('\n');
}
