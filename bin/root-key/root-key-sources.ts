import { join } from 'node:path';
import { RootKeyError } from '#crypto/root-key-error.ts';
import { createRootKeyFile, loadRootKeyFile } from '#crypto/root-key-file.ts';
import { createPassphraseRootKey, loadPassphraseRootKey, readPassphraseFile } from '#crypto/root-key-passphrase.ts';
import { createPkcs11RootKey, loadPkcs11RootKey, type Pkcs11Place } from '#crypto/root-key-pkcs11.ts';
import type { RootKey } from '#crypto/root-key.ts';
import { type Config, ConfigError } from '../config.ts';
import type { RootKeySource } from './installation-record.ts';

/** Where a new root key is to be. */
export type RootKeyTarget =
  | { readonly provider: 'key-file'; readonly path: string; readonly mayExist?: boolean }
  | { readonly provider: 'passphrase'; readonly passphrase: string; readonly parameters: string }
  | ({ readonly provider: 'pkcs11'; readonly pin: string } & Pkcs11Place);

export interface MadeRootKey {
  readonly rootKey: RootKey;
  readonly source: RootKeySource;
  /** What the operator must be told. */
  readonly notices: readonly string[];
}

/** @throws RootKeyError */
export async function makeRootKey(target: RootKeyTarget, folder: string): Promise<MadeRootKey> {
  switch (target.provider) {
    case 'key-file': {
      const { path } = target;
      const rootKey = target.mayExist === true ? await loadOrCreate(path) : await createRootKeyFile(path);
      const notice = `The root key is in ${path}. Keep a copy elsewhere: without it the stored data cannot be read.`;
      return { rootKey, source: { provider: 'key-file', path }, notices: [notice] };
    }
    case 'passphrase': {
      const { parameters, passphrase } = target;
      const rootKey = await createPassphraseRootKey(join(folder, parameters), passphrase);
      return { rootKey, source: { provider: 'passphrase', parameters }, notices: [] };
    }
    case 'pkcs11': {
      const { module, token, key, pin } = target;
      const { rootKey, wrapped, isNewKey } = await createPkcs11RootKey({ module, token, key }, pin);
      const source = { provider: 'pkcs11', module, token, key, wrapped: wrapped.toString('base64') } as const;
      const made = isNewKey ? `The AES key '${key}' was made in it.` : `Its AES key '${key}' is used.`;
      return {
        rootKey,
        source,
        notices: [
          `The root key is wrapped by the token '${token}'. ${made} Without that key the stored data cannot be read.`,
        ],
      };
    }
  }
}

async function loadOrCreate(path: string): Promise<RootKey> {
  try {
    return await createRootKeyFile(path);
  } catch (error) {
    if (error instanceof RootKeyError) return loadRootKeyFile(path);
    throw error;
  }
}

/** @throws RootKeyError, ConfigError */
export async function loadRootKey(source: RootKeySource, config: Config): Promise<RootKey> {
  const passphrase = await passphraseOf(config);
  if (source.provider !== 'passphrase' && passphrase !== undefined) {
    const what = source.provider === 'key-file' ? 'a root key file' : 'a root key in a token';
    throw new RootKeyError(`This data folder has ${what}; unset the root passphrase, which is not its key.`);
  }
  if (source.provider !== 'key-file' && config.rootKeyFile !== undefined) {
    const what = source.provider === 'passphrase' ? 'a root passphrase' : 'a root key in a token';
    throw new RootKeyError(`This data folder has ${what}; unset COFFER_ROOT_KEY_FILE, which is not its key.`);
  }
  switch (source.provider) {
    case 'key-file':
      return loadRootKeyFile(config.rootKeyFile ?? source.path);
    case 'passphrase':
      if (passphrase === undefined) {
        throw new RootKeyError(
          'This data folder wants its passphrase: set COFFER_ROOT_PASSPHRASE_FILE or COFFER_ROOT_PASSPHRASE.',
        );
      }
      return loadPassphraseRootKey(join(config.dataFolder, source.parameters), passphrase);
    case 'pkcs11': {
      const { pkcs11 } = config;
      const pin = await pinOf(config);
      if (pin === undefined) {
        throw new RootKeyError(
          'This data folder wants the PIN of its token: set COFFER_PKCS11_PIN_FILE or COFFER_PKCS11_PIN.',
        );
      }
      const place = {
        module: pkcs11.module ?? source.module,
        token: pkcs11.token ?? source.token,
        key: pkcs11.key ?? source.key,
      };
      return loadPkcs11RootKey(place, pin, Buffer.from(source.wrapped, 'base64'));
    }
  }
}

export async function passphraseOf(config: Config): Promise<string | undefined> {
  return config.rootPassphraseFile === undefined
    ? config.rootPassphrase
    : readPassphraseFile(config.rootPassphraseFile);
}

/** The PIN of the token. */
async function pinOf({ pkcs11 }: Pick<Config, 'pkcs11'>): Promise<string | undefined> {
  return pkcs11.pinFile === undefined ? pkcs11.pin : readPassphraseFile(pkcs11.pinFile);
}

/** Where a first start, or a change, puts a root key in a token. @throws ConfigError when something is not said */
export async function pkcs11Target(config: Pick<Config, 'pkcs11'>): Promise<RootKeyTarget> {
  const { module, token, key = DEFAULT_KEY_LABEL } = config.pkcs11;
  const pin = await pinOf(config);
  if (module === undefined || token === undefined || pin === undefined) {
    throw new ConfigError(
      'A root key in a token wants COFFER_PKCS11_MODULE, COFFER_PKCS11_TOKEN, and COFFER_PKCS11_PIN_FILE or COFFER_PKCS11_PIN.',
    );
  }
  return { provider: 'pkcs11', module, token, key, pin };
}

const DEFAULT_KEY_LABEL = 'coffer-root-key';
