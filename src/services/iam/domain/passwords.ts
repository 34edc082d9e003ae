import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { RootKey } from '#crypto/root-key.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';

// Frozen: stored hashes depend on them. About 32 MiB and a fifth of a second for each password that is tried.
const SCRYPT = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 } as const;
const HASH_LENGTH = 32;
const SALT_LENGTH = 16;
/** As many as a password policy can ask to be remembered. */
const MAX_REMEMBERED = 24;

/** A user's password as it is kept: hashes under one salt, the newest first, in base64. */
export interface PasswordHashes {
  readonly salt: string;
  readonly hashes: readonly string[];
}

function sealContext(userId: string): string {
  return `iam/password/${userId}`;
}

/** INVARIANT: of a password nothing is kept but this, and that under the root key. */
export function sealHashes(hashes: PasswordHashes, userId: string, rootKey: RootKey): Buffer {
  return rootKey.seal(Buffer.from(JSON.stringify(hashes)), sealContext(userId));
}

/** @throws DecryptionError when the record was changed */
export function openHashes(sealed: Uint8Array, userId: string, rootKey: RootKey): PasswordHashes {
  return JSON.parse(rootKey.open(sealed, sealContext(userId)).toString()) as PasswordHashes;
}

/** @param earlier the user's passwords until now, which are remembered */
export async function withPassword(password: string, earlier: PasswordHashes | undefined): Promise<PasswordHashes> {
  const salt = earlier?.salt ?? randomBytes(SALT_LENGTH).toString('base64');
  const hash = await hashOf(password, salt);
  return { salt, hashes: [hash.toString('base64'), ...(earlier?.hashes ?? [])].slice(0, MAX_REMEMBERED + 1) };
}

/** Whether it is the password. */
export async function isPassword(password: string, known: PasswordHashes): Promise<boolean> {
  return isAmong(await hashOf(password, known.salt), known.hashes.slice(0, 1));
}

/** Whether the newest of `next` is among the `count` that were taken before it. */
export function isReused(next: PasswordHashes, count: number): boolean {
  const [newest = '', ...earlier] = next.hashes;
  return isAmong(Buffer.from(newest, 'base64'), earlier.slice(0, count));
}

function isAmong(hash: Buffer, hashes: readonly string[]): boolean {
  return hashes.some((known) => timingSafeEqual(hash, Buffer.from(known, 'base64')));
}

function hashOf(password: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), Buffer.from(salt, 'base64'), HASH_LENGTH, SCRYPT, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}

export const passwordColumn: RootSealedColumn = {
  table: 'iam_login_profile',
  column: 'sealed',
  contextOf: (row) => sealContext(String(row['user_id'])),
};
