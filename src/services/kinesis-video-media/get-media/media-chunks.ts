import type { Authority } from '#kernel/door.ts';
import type { Logger } from '#kernel/logger.ts';
import {
  type ArchivedStream,
  type FragmentArchive,
  FragmentMissingError,
  type FragmentReader,
  type FragmentRecord,
  INTERNAL_ERROR,
  kmsFailure,
  type MediaFailure,
} from '#services/kinesis-video/api.ts';
import { errorChunk, tagsAfter, tagsBefore } from './kvs-tags.ts';
import type { StartPosition } from './start-position.ts';

/** Frozen: GetMedia's own error. */
const FRAGMENT_NOT_FOUND: MediaFailure = { id: 4000, code: 'FRAGMENT_NOT_FOUND' };
/** In the place of a fragment's number where there is none. */
const NO_FRAGMENT = '0';
/** Records that are looked up at once. */
const RECORDS_AT_ONCE = 32;

/** One consumer. */
export interface MediaFacts {
  readonly archive: FragmentArchive;
  /** Finds the stream as it is now. @throws ServiceError ResourceNotFoundException */
  readonly findStream: () => Promise<ArchivedStream>;
  readonly stream: ArchivedStream;
  /** The consumer's, through `kinesisvideo`. */
  readonly authority: Authority;
  readonly start: StartPosition;
  readonly logger: Logger;
  /** Aborted when the consumer is gone, or the server ends. */
  readonly signal: AbortSignal;
}

/** A fragment whose first bytes are at hand. */
interface Begun {
  readonly record: FragmentRecord;
  readonly header: Buffer;
  readonly first: Uint8Array | undefined;
  readonly rest: AsyncGenerator<Uint8Array>;
}

/**
 * A stream's fragments from a position on, and then as they come: for each of them the producer's header, tags of the
 * service, the Cluster and the producer's tags as they came, and tags of the service again. Ends when the signal is
 * aborted or the stream deleted, and after an error that is told in tags.
 *
 * What fails in the middle of a fragment is thrown: the consumer sees a stream that breaks off.
 */
export async function* mediaChunks(facts: MediaFacts): AsyncGenerator<Uint8Array> {
  const { archive, stream, authority, start, logger } = facts;
  if (start.isUnknown === true) {
    yield errorChunk(FRAGMENT_NOT_FOUND, start.after);
    return;
  }
  const reader = archive.reader(stream, authority);
  try {
    if ((await archive.last(stream)) === undefined) {
      // A key that is missing or refused is told at once, not with the first fragment, which may never come.
      try {
        await reader.checkKey();
      } catch (error) {
        yield errorChunk(failureOf(error, stream.arn, logger), NO_FRAGMENT);
        return;
      }
    }
    let newest = '';
    let newestTimestamp = 0;
    for await (const { record, begun } of begunFragments(facts, reader)) {
      if (record.number > newest) {
        const last = (await archive.last(stream)) ?? record;
        newest = last.number;
        newestTimestamp = last.serverTimestamp;
      }
      let fragment: Begun;
      try {
        fragment = await begun;
      } catch (error) {
        // Its retention ended while it was being looked for.
        if (error instanceof FragmentMissingError) continue;
        yield errorChunk(failureOf(error, record.number, logger), record.number);
        return;
      }
      try {
        yield Buffer.concat([fragment.header, tagsBefore(record)]);
        if (fragment.first !== undefined) yield fragment.first;
        yield* fragment.rest;
        yield tagsAfter(record, Math.max(0, newestTimestamp - record.serverTimestamp));
      } finally {
        await fragment.rest.return(undefined);
      }
    }
  } finally {
    reader.close();
  }
}

interface Coming {
  readonly record: FragmentRecord;
  readonly begun: Promise<Begun>;
}

/** The fragments in order; the next one is begun while the last one is on its way to the consumer. */
async function* begunFragments(facts: MediaFacts, reader: FragmentReader): AsyncGenerator<Coming> {
  let next: Coming | undefined;
  try {
    for await (const records of batches(facts)) {
      for (const [index, record] of records.entries()) {
        const current = next ?? begin(reader, record);
        const following = records[index + 1];
        next = following && begin(reader, following);
        yield current;
      }
    }
  } finally {
    void next?.begun.then(({ rest }) => rest.return(undefined)).catch(() => {});
  }
}

function begin(reader: FragmentReader, record: FragmentRecord): Coming {
  const begun = beginReading(reader, record);
  // Its failure is told when its turn comes.
  begun.catch(() => {});
  return { record, begun };
}

async function beginReading(reader: FragmentReader, record: FragmentRecord): Promise<Begun> {
  const header = await reader.readHeader(record);
  const rest = reader.stream(record);
  const { value } = await rest.next();
  return { record, header, first: value ?? undefined, rest };
}

/** Records from the start position on; waits for more when there are none. */
async function* batches(facts: MediaFacts): AsyncGenerator<readonly FragmentRecord[]> {
  const { archive, findStream, start, signal } = facts;
  let { stream } = facts;
  let { after } = start;
  let isReached = start.from === undefined;
  for (;;) {
    const found = await archive.waitAfter(stream, after, RECORDS_AT_ONCE, signal);
    const last = found.at(-1);
    if (last === undefined) return;
    after = last.number;
    const first = isReached ? 0 : found.findIndex((record) => reaches(record, start));
    if (first < 0) continue;
    isReached = true;
    yield found.slice(first);
    // The stream's retention may have changed meanwhile.
    stream = await findStream().catch(() => stream);
  }
}

function reaches(record: FragmentRecord, { from }: StartPosition): boolean {
  if (from === undefined) return true;
  const begin = from.by === 'server' ? record.serverTimestamp : record.producerTimestamp;
  return begin + record.lengthMs > from.timestamp || begin >= from.timestamp;
}

function failureOf(error: unknown, what: string, logger: Logger): MediaFailure {
  const failure = kmsFailure(error);
  if (failure !== undefined) return failure;
  logger.error({ err: error, what }, 'a fragment could not be read');
  return INTERNAL_ERROR;
}
