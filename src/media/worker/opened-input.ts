import { CiphertextError, openRanged, type RangedDecryptor } from '#crypto/ranged-decryption.ts';
import { uriOf } from '../media-location.ts';
import { ERROR_CODES, TranscodeError, unableToOpen } from '../transcode-error.ts';
import type { MediaLocation, TranscodeInput } from '../transcode-input.ts';
import { type OpenedSource, openSource, type SourcePorts } from './opened-source.ts';
import { unchangedSource } from './unchanged-source.ts';

export interface InputPorts extends SourcePorts {
  /** Told of each read: opening an input may mean to read all of it. */
  readonly onRead: () => void;
}

/**
 * An input as FFmpeg is to see it: where the object was encrypted before it was stored, decrypted as it is read.
 *
 * INVARIANT: an input with an authentication tag has been verified to its last byte when this resolves. Later reads
 * name the same version of the object, or are compared with what was verified.
 *
 * @throws TranscodeError 1404, 1401 or of the 34xx codes when the file is not there or may not be read, 1010 when it does
 * not decrypt
 */
export async function openInput(input: TranscodeInput, ports: InputPorts): Promise<OpenedSource> {
  // FFmpeg's thread makes it.
  if ('milliseconds' in input.source) return { size: 0, read: async () => undefined };
  const opened = await openSource(input.source, ports);
  if (input.decryption === undefined) return opened;
  const source = input.decryption.mode === 'gcm' ? steady(opened, input.source) : opened;
  const decryptor = await decryptorOf(source, input, ports);
  return {
    size: decryptor.size,
    async read(offset, target) {
      const covered = decryptor.cover(offset, target.length);
      const ciphertext = new Uint8Array(covered.length);
      await source.read(covered.offset, ciphertext);
      decryptor.open(ciphertext, offset, target);
    },
  };
}

/** The platform's own objects have versions. A server of the web may say that a file is the same and send another. */
function steady(opened: OpenedSource, location: MediaLocation): OpenedSource {
  if (!('url' in location)) return opened;
  const cause = "Can't read input stream: [The file was changed while it was read]";
  return unchangedSource(opened, () => new TranscodeError(ERROR_CODES.httpOther, unableToOpen(uriOf(location), cause)));
}

async function decryptorOf(
  source: OpenedSource,
  { decryption, source: location }: TranscodeInput,
  { onRead }: InputPorts,
): Promise<RangedDecryptor> {
  if (decryption === undefined) throw new RangeError('The input is not encrypted.');
  try {
    return await openRanged(decryption, source.size, async ({ offset, length }) => {
      const bytes = new Uint8Array(length);
      if (length > 0) await source.read(offset, bytes);
      onRead();
      return bytes;
    });
  } catch (error) {
    if (!(error instanceof CiphertextError)) throw error;
    const cause = `Can't decrypt input: ${error.message}`;
    throw new TranscodeError(ERROR_CODES.inputUnreadable, unableToOpen(uriOf(location), cause));
  } finally {
    decryption.key.fill(0);
  }
}
