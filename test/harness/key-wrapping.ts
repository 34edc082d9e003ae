import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AlgorithmSpec } from '@aws-sdk/client-kms';

const run = promisify(execFile);

/** Wraps key material by `openssl`, as KMS's documentation says it is done before an import. */
export async function wrapByOpenssl(
  algorithm: AlgorithmSpec,
  publicKey: Uint8Array,
  material: Uint8Array,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-wrap-'));
  const file = (name: string) => join(folder, name);
  const hash = algorithm.endsWith('_1') ? 'sha1' : 'sha256';
  const encrypt = async (plain: string, out: string) => {
    const padding = ['rsa_padding_mode:oaep', `rsa_oaep_md:${hash}`, `rsa_mgf1_md:${hash}`];
    const options = padding.flatMap((option) => ['-pkeyopt', option]);
    const key = ['-pubin', '-keyform', 'DER', '-inkey', file('public.der')];
    await run('openssl', ['pkeyutl', '-encrypt', ...key, ...options, '-in', plain, '-out', out]);
  };
  try {
    await writeFile(file('public.der'), publicKey);
    await writeFile(file('material'), material);
    if (!algorithm.startsWith('RSA_AES_')) {
      await encrypt(file('material'), file('wrapped'));
      return await readFile(file('wrapped'));
    }
    const aesKey = randomBytes(32);
    await writeFile(file('aes'), aesKey);
    await encrypt(file('aes'), file('wrapped-aes'));
    const wrap = ['-id-aes256-wrap-pad', '-K', aesKey.toString('hex'), '-iv', 'A65959A6'];
    await run('openssl', ['enc', ...wrap, '-in', file('material'), '-out', file('wrapped')]);
    return Buffer.concat([await readFile(file('wrapped-aes')), await readFile(file('wrapped'))]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
