import type { Readable } from 'node:stream';
import { operation } from '#kernel/operation.ts';
import { StreamBusyError } from '#services/kinesis-video/api.ts';
import type { KinesisVideoMediaContext } from '../context.ts';
import { connectionLimitExceeded, invalidArgument } from '../errors.ts';
import { PutMediaSession } from '../put-media/put-media-session.ts';
import { PutMedia$, type PutMediaInput } from '../schemas.ts';

interface PutMediaOutput {
  readonly ContentType: string;
  readonly Payload: Readable;
}

/** Seconds with a fraction of any length. One that is not padded (`.5` for 5 ms) is read as the decimal that it is. */
const DECIMAL_SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;

/**
 * What is wrong with the headers is an error of HTTP; everything after that is told in the answer, which begins before
 * the media does.
 */
export const putMedia = operation<KinesisVideoMediaContext, PutMediaInput, PutMediaOutput>(PutMedia$, {
  exchange: 'duplex',
  isDataEvent: true,
  authorize: (input, call, { video }) => {
    requireOneName(input);
    return video.streams.access('kinesisvideo:PutMedia', input, call);
  },
  async handle(input, call, { video, limits, logger }) {
    const startMs = startOf(input);
    const stream = await video.streams.find(input, call);
    const { body } = call;
    if (body === undefined) throw invalidArgument('The request has no payload.');
    call.audit.resources.add(stream.arn);
    const authority = call.forward('kinesisvideo');
    let ingest: ReturnType<typeof video.archive.connect>;
    try {
      ingest = video.archive.connect(stream);
    } catch (error) {
      if (!(error instanceof StreamBusyError)) throw error;
      throw connectionLimitExceeded(
        'The stream has a connection for PutMedia already. Close it before you open another one.',
      );
    }
    const session = new PutMediaSession({
      body,
      ingest,
      authority,
      findStream: () => video.streams.find({ StreamARN: stream.arn }, call),
      startMs,
      limits,
      logger,
      signal: call.signal,
    });
    return { ContentType: 'application/json', Payload: session.acknowledgements };
  },
});

/** Unlike the other operations, this one takes one of the two only (developer guide, "PutMedia"). */
function requireOneName({ StreamName, StreamARN }: PutMediaInput): void {
  if ((StreamName === undefined) === (StreamARN === undefined)) {
    throw invalidArgument('Give either x-amzn-stream-name or x-amzn-stream-arn, and not both.');
  }
}

/** @returns what is added to timecodes, in milliseconds */
function startOf({ FragmentTimecodeType, ProducerStartTimestamp }: PutMediaInput): number {
  if (ProducerStartTimestamp !== undefined && !DECIMAL_SECONDS.test(ProducerStartTimestamp)) {
    throw invalidArgument('x-amzn-producer-start-timestamp must be seconds since the epoch.');
  }
  if (FragmentTimecodeType === 'ABSOLUTE') return 0;
  if (ProducerStartTimestamp === undefined) {
    throw invalidArgument('x-amzn-producer-start-timestamp is required with relative timecodes.');
  }
  return Math.round(Number(ProducerStartTimestamp) * 1000);
}
