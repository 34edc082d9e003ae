import { DynamicLibrary } from 'node:ffi';
import { TokenError } from './token-error.ts';

// The names and numbers are those of PKCS#11 2.40 (OASIS). CK_ULONG is a machine word: 8 bytes where this runs.

const WORD = 'uint64';
const POINTER = 'pointer';

const FUNCTIONS = {
  C_Initialize: [POINTER],
  C_Finalize: [POINTER],
  C_GetSlotList: ['uint8', POINTER, POINTER],
  C_GetTokenInfo: [WORD, POINTER],
  C_OpenSession: [WORD, WORD, POINTER, POINTER, POINTER],
  C_Login: [WORD, WORD, POINTER, WORD],
  C_FindObjectsInit: [WORD, POINTER, WORD],
  C_FindObjects: [WORD, POINTER, WORD, POINTER],
  C_FindObjectsFinal: [WORD],
  C_GetAttributeValue: [WORD, WORD, POINTER, WORD],
  C_GenerateKey: [WORD, POINTER, POINTER, WORD, POINTER],
  C_EncryptInit: [WORD, POINTER, WORD],
  C_Encrypt: [WORD, POINTER, WORD, POINTER, POINTER],
  C_DecryptInit: [WORD, POINTER, WORD],
  C_Decrypt: [WORD, POINTER, WORD, POINTER, POINTER],
} as const;

type FunctionName = keyof typeof FUNCTIONS;
type Functions = Readonly<Record<FunctionName, (...args: Argument[]) => bigint | number>>;
type Argument = bigint | number | Buffer | null;

/** A call's return value that is not CKR_OK. */
export class ReturnValueError extends Error {
  readonly value: number;

  constructor(name: string, value: number) {
    super(`${name} answered 0x${value.toString(16)}`);
    this.value = value;
  }
}

/** Memory that stays where it is: what a module is given pointers to must not be moved. */
export function fixedBuffer(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(length));
}

export function fixedCopy(bytes: Uint8Array): Buffer {
  const copy = fixedBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A PKCS#11 module, loaded into this process. */
export class Module {
  readonly #functions: Functions;

  /** @throws TokenError when it cannot be loaded, or is none */
  constructor(path: string) {
    let library: DynamicLibrary;
    try {
      library = new DynamicLibrary(path);
    } catch {
      throw new TokenError(`The PKCS#11 module ${path} cannot be loaded: it is not there, or is no library.`);
    }
    try {
      const found = Object.entries(FUNCTIONS).map(([name, types]) => [
        name,
        library.getFunction(name, { arguments: [...types], return: WORD }),
      ]);
      this.#functions = Object.fromEntries(found) as Functions;
    } catch {
      throw new TokenError(`${path} is no PKCS#11 module: it does not export the functions C_….`);
    }
  }

  /** @throws ReturnValueError */
  call(name: FunctionName, ...args: Argument[]): void {
    const types = FUNCTIONS[name];
    // Words are given as `bigint` alone.
    const converted = args.map((value, index) =>
      types[index] === WORD && typeof value === 'number' ? BigInt(value) : value,
    );
    const value = Number(this.#functions[name](...converted));
    if (value !== 0) throw new ReturnValueError(name, value);
  }
}
