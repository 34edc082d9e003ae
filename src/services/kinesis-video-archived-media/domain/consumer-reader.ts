import type { FragmentContent, FragmentReader, FragmentRecord } from '#services/kinesis-video/api.ts';
import { refusedByKms } from '../errors.ts';

/** Reads whole fragments in a consumer's name, with KMS's refusals in this service's words. */
export class ConsumerReader {
  readonly #reader: FragmentReader;

  constructor(reader: FragmentReader) {
    this.#reader = reader;
  }

  /** @throws ServiceError, FragmentMissingError, DecryptionError */
  read(record: FragmentRecord): Promise<FragmentContent> {
    return inOurWords(this.#reader.read(record));
  }

  /** @throws ServiceError, FragmentMissingError, DecryptionError */
  readHeader(record: FragmentRecord): Promise<Buffer> {
    return inOurWords(this.#reader.readHeader(record));
  }

  /** Forgets the data keys. */
  close(): void {
    this.#reader.close();
  }
}

async function inOurWords<Result>(reading: Promise<Result>): Promise<Result> {
  try {
    return await reading;
  } catch (error) {
    throw refusedByKms(error) ?? error;
  }
}
