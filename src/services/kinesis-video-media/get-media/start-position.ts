import type { StartSelector } from '@aws-sdk/client-kinesis-video-media';
import type { ArchivedStream, FragmentArchive, FragmentRecord, TimestampKind } from '#services/kinesis-video/api.ts';
import { invalidArgument } from '../errors.ts';

/** Where a consumer begins. */
export interface StartPosition {
  /** Fragments with greater numbers are given. */
  readonly after: string;
  /** Fragments that end before this are passed over. */
  readonly from?: { readonly by: TimestampKind; readonly timestamp: number };
  /** The fragment after which the consumer wants to begin is none of the stream's. */
  readonly isUnknown?: true;
}

/** Before every fragment. */
const BEGINNING: StartPosition = { after: '0' };

/**
 * @param input as the request gave it
 * @throws ServiceError InvalidArgumentException
 */
export async function startPositionOf(
  archive: FragmentArchive,
  stream: ArchivedStream,
  input: StartSelector,
): Promise<StartPosition> {
  switch (input.StartSelectorType) {
    case 'EARLIEST':
      return BEGINNING;
    case 'NOW':
      return justBefore(await archive.last(stream)) ?? BEGINNING;
    case 'FRAGMENT_NUMBER': {
      const number = required(input.AfterFragmentNumber, 'AfterFragmentNumber', input);
      return (await archive.has(stream, number)) ? { after: number } : { after: number, isUnknown: true };
    }
    case 'CONTINUATION_TOKEN': {
      const token = required(input.ContinuationToken, 'ContinuationToken', input);
      // What came after a fragment is there to be had, whether or not the fragment itself still is.
      if (!/^\d{1,47}$/.test(token)) throw invalidArgument('The continuation token is not valid.');
      return { after: token };
    }
    case 'SERVER_TIMESTAMP':
      return await atTimestamp(archive, stream, 'server', input);
    case 'PRODUCER_TIMESTAMP':
      return await atTimestamp(archive, stream, 'producer', input);
    default:
      throw invalidArgument('StartSelector needs a StartSelectorType.');
  }
}

async function atTimestamp(
  archive: FragmentArchive,
  stream: ArchivedStream,
  by: TimestampKind,
  input: StartSelector,
): Promise<StartPosition> {
  const timestamp = required(input.StartTimestamp, 'StartTimestamp', input).getTime();
  const found = justBefore(await archive.atOrAfter(stream, by, timestamp));
  if (found !== undefined) return found;
  // Nothing yet: the first one that comes up to it.
  return { after: (await archive.last(stream))?.number ?? BEGINNING.after, from: { by, timestamp } };
}

function justBefore(record: FragmentRecord | undefined): StartPosition | undefined {
  return record && { after: (BigInt(record.number) - 1n).toString() };
}

function required<Value>(value: Value | undefined, name: string, { StartSelectorType }: StartSelector): Value {
  if (value === undefined) throw invalidArgument(`The start selector ${StartSelectorType ?? ''} needs ${name}.`);
  return value;
}
