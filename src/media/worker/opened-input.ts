import type { S3Client } from '@aws-sdk/client-s3';
import { CiphertextError, openRanged, type RangedDecryptor } from '#crypto/ranged-decryption.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { InputDecryption, TranscodeInput } from '../transcode-input.ts';
import { type OpenedObject, openObject, readRange } from './s3-io.ts';

interface InputPorts {
  readonly s3: S3Client;
  readonly signal: AbortSignal;
  /** Told of each read: opening an input may mean to read all of it. */
  readonly onRead: () => void;
}

/** An input as FFmpeg is to see it: where the object was encrypted before it was stored, decrypted as it is read. */
export class OpenedInput {
  readonly #object: OpenedObject;
  readonly #ports: InputPorts;
  readonly #decryptor: RangedDecryptor | undefined;

  private constructor(object: OpenedObject, ports: InputPorts, decryptor: RangedDecryptor | undefined) {
    this.#object = object;
    this.#ports = ports;
    this.#decryptor = decryptor;
  }

  /**
   * INVARIANT: an input with an authentication tag has been verified to its last byte when this resolves. Later reads
   * name the same version of the object.
   *
   * @throws TranscodeError 1404 or 1401 when the object is not there or may not be read, 1010 when it does not decrypt
   */
  static async open(input: TranscodeInput, ports: InputPorts): Promise<OpenedInput> {
    const object = await openObject(ports.s3, input.source, ports.signal);
    const { decryption } = input;
    if (decryption === undefined) return new OpenedInput(object, ports, undefined);
    return new OpenedInput(object, ports, await decryptorOf(object, decryption, ports));
  }

  /** Bytes, decrypted. */
  get size(): number {
    return this.#decryptor?.size ?? this.#object.size;
  }

  /** Fills `target` with the bytes from `offset` on. @throws TranscodeError */
  async read(offset: number, target: Uint8Array): Promise<void> {
    const { s3, signal } = this.#ports;
    if (this.#decryptor === undefined) {
      await readRange(s3, this.#object, offset, target, signal);
      return;
    }
    const covered = this.#decryptor.cover(offset, target.length);
    const ciphertext = new Uint8Array(covered.length);
    await readRange(s3, this.#object, covered.offset, ciphertext, signal);
    this.#decryptor.open(ciphertext, offset, target);
  }
}

async function decryptorOf(
  object: OpenedObject,
  decryption: InputDecryption,
  { s3, signal, onRead }: InputPorts,
): Promise<RangedDecryptor> {
  try {
    return await openRanged(decryption, object.size, async ({ offset, length }) => {
      const bytes = new Uint8Array(length);
      if (length > 0) await readRange(s3, object, offset, bytes, signal);
      onRead();
      return bytes;
    });
  } catch (error) {
    if (!(error instanceof CiphertextError)) throw error;
    const uri = `s3://${object.bucket}/${object.key}`;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uri, `Can't decrypt input: ${error.message}`));
  } finally {
    decryption.key.fill(0);
  }
}
