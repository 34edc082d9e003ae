import {
  type Fragment,
  ListFragments$,
  type ListFragmentsInput,
  type ListFragmentsOutput,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { operation } from '#kernel/operation.ts';
import type { FragmentRecord } from '#services/kinesis-video/api.ts';
import type { ArchivedMediaContext } from '../context.ts';
import type { FragmentRange, ListingState } from '../domain/listing-state.ts';
import { invalidArgument } from '../errors.ts';

/** AWS documents no default: this is Coffer's own choice. */
const DEFAULT_PAGE = 100;

export const listFragments = operation<ArchivedMediaContext, ListFragmentsInput, ListFragmentsOutput>(ListFragments$, {
  authorize: (input, call, { video }) => video.streams.access('kinesisvideo:ListFragments', input, call),
  async handle(input, call, { video, listingTokens }) {
    const stream = await video.streams.find(input, call);
    const state = input.NextToken === undefined ? undefined : listingTokens.read(stream.id, input.NextToken);
    const { by, start, end } = selectionOf(input, state);
    const limit = input.MaxResults ?? DEFAULT_PAGE;
    const { fragments, hasMore } = await video.archive.list(stream, { by, start, end }, limit, state?.after);
    const last = fragments.at(-1);
    if (!hasMore || last === undefined) return { Fragments: fragments.map(fragmentView) };
    const { number, serverTimestamp, producerTimestamp } = last;
    const after = { number, serverTimestamp, producerTimestamp };
    return {
      Fragments: fragments.map(fragmentView),
      NextToken: listingTokens.write(stream.id, { by, start, end, after }),
    };
  },
});

/** The token knows the range; SDKs send that again all the same. */
function selectionOf(
  { FragmentSelector: selector }: ListFragmentsInput,
  state: ListingState | undefined,
): FragmentRange {
  if (selector === undefined) {
    if (state !== undefined) return state;
    throw invalidArgument('FragmentSelector is required where there is no NextToken.');
  }
  const { StartTimestamp, EndTimestamp } = selector.TimestampRange ?? {};
  const given: FragmentRange = {
    by: selector.FragmentSelectorType === 'SERVER_TIMESTAMP' ? 'server' : 'producer',
    start: StartTimestamp?.getTime() ?? Number.NaN,
    end: EndTimestamp?.getTime() ?? Number.NaN,
  };
  if (!(given.start <= given.end)) throw invalidArgument('StartTimestamp is later than EndTimestamp.');
  if (state === undefined || (state.by === given.by && state.start === given.start && state.end === given.end)) {
    return given;
  }
  throw invalidArgument('NextToken belongs to another FragmentSelector.');
}

function fragmentView(record: FragmentRecord): Fragment {
  return {
    FragmentNumber: record.number,
    FragmentSizeInBytes: record.size,
    ProducerTimestamp: new Date(record.producerTimestamp),
    ServerTimestamp: new Date(record.serverTimestamp),
    FragmentLengthInMilliseconds: record.lengthMs,
  };
}
