import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { joinRequest, type TokenRequestHead } from './pkcs11/token-request.ts';
import { RootKey } from './root-key.ts';
import { RootKeyError } from './root-key-error.ts';
import { ROOT_SECRET_LENGTH } from './root-secret.ts';

/** Where the key that wraps the root key is. */
export interface Pkcs11Place {
  /** The path of the PKCS#11 module, such as `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  /** The label of the token. */
  readonly token: string;
  /** The label of the AES key in it. */
  readonly key: string;
}

const PROCESS = fileURLToPath(new URL('pkcs11/token-process.ts', import.meta.url));
const SHELL_PRELUDE = 'ulimit -c 0; exec "$@"';
/** A token that does not answer for so long is out of order. */
const TIMEOUT_MS = 60_000;
const TOKEN_ERROR = 2;

/**
 * Makes a random root key and has the token wrap it. The token's key is made there where there is none of its label.
 *
 * @returns the root key, and what is to be stored: without the token it tells nothing
 * @throws RootKeyError
 */
export async function createPkcs11RootKey(
  place: Pkcs11Place,
  pin: string,
): Promise<{ readonly rootKey: RootKey; readonly wrapped: Buffer; readonly isNewKey: boolean }> {
  const secret = randomBytes(ROOT_SECRET_LENGTH);
  try {
    const answer = await askToken({ action: 'wrap', ...place }, pin, secret);
    return { rootKey: new RootKey(secret), wrapped: answer.subarray(1), isNewKey: answer[0] === 1 };
  } finally {
    secret.fill(0);
  }
}

/** @throws RootKeyError when the token does not open it */
export async function loadPkcs11RootKey(place: Pkcs11Place, pin: string, wrapped: Uint8Array): Promise<RootKey> {
  const secret = await askToken({ action: 'unwrap', ...place }, pin, wrapped);
  try {
    if (secret.length !== ROOT_SECRET_LENGTH) throw new RootKeyError('What the token has opened is no root key.');
    return new RootKey(secret);
  } finally {
    secret.fill(0);
  }
}

/** INVARIANT: the PIN and the root key go over pipes; neither is in an argument or in the environment. */
async function askToken(head: TokenRequestHead, pin: string, data: Uint8Array): Promise<Buffer> {
  if (process.platform === 'win32') throw new RootKeyError('PKCS#11 is not supported on Windows.');
  const node = [process.execPath, '--experimental-ffi', '--disable-warning=ExperimentalWarning', PROCESS];
  const child = spawn('/bin/sh', ['-c', SHELL_PRELUDE, 'coffer-token', ...node], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Modules are configured by variables of their own.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(COFFER|NODE)_/.test(name))),
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const request = joinRequest({ head, pin: Buffer.from(pin), data: Buffer.from(data) });
  const answers: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => answers.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  // A process that has ended already takes no more: how it ended says why.
  child.stdin.on('error', () => {});
  child.stdin.end(request);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ending) => resolve(ending));
  });
  request.fill(0);
  const answer = Buffer.concat(answers);
  for (const chunk of answers) chunk.fill(0);
  if (code === 0) return answer;
  if (code === TOKEN_ERROR) throw new RootKeyError(Buffer.concat(errors).toString('utf8'));
  const ending = signal === null ? `with status ${code}` : `by ${signal}`;
  throw new RootKeyError(
    `The process that loads the PKCS#11 module ${head.module} ended ${ending} and has not answered.`,
  );
}
