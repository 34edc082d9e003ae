import { randomBytes } from 'node:crypto';
import { getRawPointer } from 'node:ffi';
import { fixedBuffer, fixedCopy, type Module, ReturnValueError } from './module.ts';
import { TokenError } from './token-error.ts';

// Numbers of PKCS#11 2.40.
const CKF_RW_SESSION = 2;
const CKF_SERIAL_SESSION = 4;
const CKU_USER = 1;
const CKO_SECRET_KEY = 4;
const CKK_AES = 0x1f;
const CKA_CLASS = 0x0;
const CKA_TOKEN = 0x1;
const CKA_PRIVATE = 0x2;
const CKA_LABEL = 0x3;
const CKA_KEY_TYPE = 0x100;
const CKA_SENSITIVE = 0x103;
const CKA_ENCRYPT = 0x104;
const CKA_DECRYPT = 0x105;
const CKA_VALUE_LEN = 0x161;
const CKA_EXTRACTABLE = 0x162;
const CKM_AES_KEY_GEN = 0x1080;
const CKM_AES_GCM = 0x1087;
const WRONG_PIN: ReadonlySet<number> = new Set([0xa0, 0xa1, 0xa2]);
const PIN_LOCKED = 0xa4;
const PIN_NOT_SET = 0x102;
const ALREADY_LOGGED_IN = 0x100;

const WORD = 8;
const TOKEN_INFO_LENGTH = 512;
const LABEL_LENGTH = 32;
const AES_256 = 32;

// Frozen: docs/formats/root-key.md.
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
const ASSOCIATED_DATA = Buffer.from('coffer/root-key/pkcs11/1');

/** A session of the user with a token. */
export class Token {
  readonly #module: Module;
  readonly #label: string;
  readonly #session: bigint;

  private constructor(module: Module, label: string, session: bigint) {
    this.#module = module;
    this.#label = label;
    this.#session = session;
  }

  /** @throws TokenError when there is no such token, or it does not take the PIN */
  static open(module: Module, label: string, pin: Uint8Array): Token {
    const slot = findSlot(module, label);
    const session = fixedBuffer(WORD);
    try {
      module.call('C_OpenSession', slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, null, null, session);
    } catch (error) {
      throw failed(`The token '${label}' cannot be used`, error);
    }
    const token = new Token(module, label, session.readBigUInt64LE());
    token.#logIn(pin);
    return token;
  }

  #logIn(pin: Uint8Array): void {
    const text = fixedCopy(pin);
    try {
      this.#module.call('C_Login', this.#session, CKU_USER, text, text.length);
    } catch (error) {
      const value = error instanceof ReturnValueError ? error.value : 0;
      if (value === ALREADY_LOGGED_IN) return;
      if (WRONG_PIN.has(value)) throw new TokenError(`The PIN is not that of the token '${this.#label}'.`);
      if (value === PIN_LOCKED) {
        throw new TokenError(`The token '${this.#label}' is locked: a wrong PIN was given too often.`);
      }
      if (value === PIN_NOT_SET) throw new TokenError(`The token '${this.#label}' has no user PIN yet.`);
      throw failed(`The token '${this.#label}' does not log in`, error);
    } finally {
      text.fill(0);
    }
  }

  /** @throws TokenError when there is none, or more than one */
  requireKey(label: string): bigint {
    const found = this.#findKeys(label);
    const [key] = found;
    if (key === undefined) {
      throw new TokenError(`The token '${this.#label}' has no AES key with the label '${label}'.`);
    }
    if (found.length > 1) {
      throw new TokenError(`The token '${this.#label}' has more than one AES key with the label '${label}'.`);
    }
    return key;
  }

  /**
   * The key of this label, made where there is none.
   *
   * INVARIANT: the key cannot leave the token.
   *
   * @throws TokenError
   */
  requireOrMakeKey(label: string): { readonly key: bigint; readonly isNew: boolean } {
    const isNew = this.#findKeys(label).length === 0;
    const key = isNew ? this.#makeKey(label) : this.requireKey(label);
    if (!this.#isTrue(key, CKA_SENSITIVE) || this.#isTrue(key, CKA_EXTRACTABLE)) {
      throw new TokenError(
        `The key '${label}' may leave the token '${this.#label}': it must be sensitive and not extractable.`,
      );
    }
    return { key, isNew };
  }

  /** @returns nonce (12 bytes) ‖ ciphertext ‖ tag (16) @throws TokenError */
  wrap(key: bigint, secret: Uint8Array): Buffer {
    const iv = randomBytes(IV_LENGTH);
    const sealed = this.#run('Encrypt', key, iv, secret, secret.length + TAG_LENGTH);
    return Buffer.concat([iv, sealed]);
  }

  /** What `wrap` has wrapped; the caller overwrites it. @throws TokenError */
  unwrap(key: bigint, wrapped: Uint8Array): Buffer {
    return this.#run('Decrypt', key, wrapped.subarray(0, IV_LENGTH), wrapped.subarray(IV_LENGTH), wrapped.length);
  }

  #run(what: 'Encrypt' | 'Decrypt', key: bigint, iv: Uint8Array, given: Uint8Array, room: number): Buffer {
    const nonce = fixedCopy(iv);
    const aad = fixedCopy(ASSOCIATED_DATA);
    const parameters = words(
      getRawPointer(nonce),
      IV_LENGTH,
      IV_LENGTH * 8,
      getRawPointer(aad),
      aad.length,
      TAG_LENGTH * 8,
    );
    const mechanism = words(CKM_AES_GCM, getRawPointer(parameters), parameters.length);
    const input = fixedCopy(given);
    const output = fixedBuffer(room);
    const length = words(room);
    try {
      this.#module.call(`C_${what}Init`, this.#session, mechanism, key);
      this.#module.call(`C_${what}`, this.#session, input, input.length, output, length);
      return Buffer.from(output.subarray(0, Number(length.readBigUInt64LE())));
    } catch (error) {
      throw what === 'Encrypt'
        ? failed(`The key of the token '${this.#label}' cannot encrypt with AES-GCM`, error)
        : failed(`The key of the token '${this.#label}' does not open the root key: it is another one`, error);
    } finally {
      input.fill(0);
      output.fill(0);
      keepAlive(nonce, aad, parameters);
    }
  }

  #findKeys(label: string): readonly bigint[] {
    const template = new Template([
      [CKA_CLASS, words(CKO_SECRET_KEY)],
      [CKA_KEY_TYPE, words(CKK_AES)],
      [CKA_LABEL, fixedCopy(Buffer.from(label))],
    ]);
    const handles = fixedBuffer(2 * WORD);
    const count = fixedBuffer(WORD);
    try {
      this.#module.call('C_FindObjectsInit', this.#session, template.bytes, template.count);
      this.#module.call('C_FindObjects', this.#session, handles, 2, count);
      this.#module.call('C_FindObjectsFinal', this.#session);
    } catch (error) {
      throw failed(`The keys of the token '${this.#label}' cannot be listed`, error);
    }
    template.keepAlive();
    return [0, 1].slice(0, Number(count.readBigUInt64LE())).map((index) => handles.readBigUInt64LE(index * WORD));
  }

  #makeKey(label: string): bigint {
    const yes = fixedCopy(Buffer.of(1));
    const no = fixedCopy(Buffer.of(0));
    const template = new Template([
      [CKA_CLASS, words(CKO_SECRET_KEY)],
      [CKA_KEY_TYPE, words(CKK_AES)],
      [CKA_LABEL, fixedCopy(Buffer.from(label))],
      [CKA_VALUE_LEN, words(AES_256)],
      [CKA_TOKEN, yes],
      [CKA_PRIVATE, yes],
      [CKA_SENSITIVE, yes],
      [CKA_EXTRACTABLE, no],
      [CKA_ENCRYPT, yes],
      [CKA_DECRYPT, yes],
    ]);
    const key = fixedBuffer(WORD);
    try {
      const mechanism = words(CKM_AES_KEY_GEN, 0, 0);
      this.#module.call('C_GenerateKey', this.#session, mechanism, template.bytes, template.count, key);
    } catch (error) {
      throw failed(`The token '${this.#label}' cannot make an AES key`, error);
    }
    template.keepAlive();
    return key.readBigUInt64LE();
  }

  #isTrue(key: bigint, attribute: number): boolean {
    const value = fixedBuffer(1);
    const template = new Template([[attribute, value]]);
    try {
      this.#module.call('C_GetAttributeValue', this.#session, key, template.bytes, template.count);
    } catch (error) {
      throw failed(`The token '${this.#label}' does not say of its key whether it may leave`, error);
    }
    const isTrue = value[0] !== 0;
    template.keepAlive();
    return isTrue;
  }
}

/** A list of CK_ATTRIBUTE, which points to the values. */
class Template {
  readonly bytes: Buffer;
  readonly count: number;
  readonly #values: readonly Buffer[];

  constructor(attributes: readonly (readonly [type: number, value: Buffer])[]) {
    this.count = attributes.length;
    this.#values = attributes.map(([, value]) => value);
    this.bytes = words(...attributes.flatMap(([type, value]) => [type, getRawPointer(value), value.length]));
  }

  keepAlive(): void {
    keepAlive(...this.#values);
  }
}

function findSlot(module: Module, label: string): bigint {
  const found: bigint[] = [];
  for (const slot of slotsOf(module)) {
    const info = fixedBuffer(TOKEN_INFO_LENGTH);
    try {
      module.call('C_GetTokenInfo', slot, info);
    } catch {
      // Not every slot has a token that answers: it is not the one that is looked for.
      continue;
    }
    if (info.toString('utf8', 0, LABEL_LENGTH).trimEnd() === label) found.push(slot);
  }
  const [slot] = found;
  if (slot === undefined) throw new TokenError(`There is no token with the label '${label}'.`);
  if (found.length > 1) throw new TokenError(`There is more than one token with the label '${label}'.`);
  return slot;
}

function slotsOf(module: Module): readonly bigint[] {
  const count = fixedBuffer(WORD);
  try {
    module.call('C_Initialize', null);
    module.call('C_GetSlotList', 1, null, count);
    const slots = fixedBuffer(Math.max(1, Number(count.readBigUInt64LE())) * WORD);
    module.call('C_GetSlotList', 1, slots, count);
    return Array.from({ length: Number(count.readBigUInt64LE()) }, (_, index) => slots.readBigUInt64LE(index * WORD));
  } catch (error) {
    throw failed('The PKCS#11 module does not say which tokens there are', error);
  }
}

function words(...values: readonly (number | bigint)[]): Buffer {
  const bytes = fixedBuffer(values.length * WORD);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * WORD);
  return bytes;
}

/** What a pointer leads to is in use up to here, which the garbage collector cannot see. Overwrites it. */
function keepAlive(...buffers: readonly Buffer[]): void {
  for (const buffer of buffers) buffer.fill(0);
}

function failed(what: string, error: unknown): TokenError {
  if (!(error instanceof ReturnValueError)) throw error;
  return new TokenError(`${what} (PKCS#11: ${error.message}).`);
}
