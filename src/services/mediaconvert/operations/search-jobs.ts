import {
  GetJobsQueryResults$,
  type GetJobsQueryResultsRequest,
  type GetJobsQueryResultsResponse,
  SearchJobs$,
  type SearchJobsRequest,
  type SearchJobsResponse,
  StartJobsQuery$,
  type StartJobsQueryRequest,
  type StartJobsQueryResponse,
} from '@aws-sdk/client-mediaconvert';
import { type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { conditionsOf, hasInput, JOB_RETENTION_MS, type JobCondition, searchJobs } from '../domain/job-search.ts';
import { jobView } from '../domain/job-view.ts';
import { nextTokenOf, pageLimit } from '../domain/list-page.ts';
import { accountArn, nameOf, queueArn } from '../domain/names.ts';
import { decodePageToken } from '../domain/page-token.ts';
import { newResource, openDocument } from '../domain/resource-document.ts';
import { scopeOf } from '../domain/scope.ts';
import { badRequest, notFound, tooManyRequests } from '../errors.ts';
import type { JobFilter } from '../store.ts';

const MAX_INPUT_LENGTH = 300;
/** Queries of an account that are kept at a time, each for a day. */
const MAX_QUERIES = 1000;

export const searchForJobs = operation<MediaconvertContext, SearchJobsRequest, SearchJobsResponse>(SearchJobs$, {
  authorize(input, call) {
    const scope = scopeOf(call);
    const queue = input.Queue === undefined ? '*' : (nameOf(input.Queue, 'queues', scope) ?? '*');
    return [{ action: 'mediaconvert:SearchJobs', resource: queueArn(scope, queue) }];
  },
  async handle(input, call, context) {
    const { InputFile: part, Queue: given, Status: status } = input;
    if (part !== undefined && part.length > MAX_INPUT_LENGTH) {
      throw badRequest(`/inputFile: Should have at most ${MAX_INPUT_LENGTH} characters`);
    }
    const queue = given === undefined ? undefined : (nameOf(given, 'queues', scopeOf(call)) ?? '');
    const filter = { ...(status !== undefined && { status }), ...(queue !== undefined && { queue }) };
    return find(input, filter, part === undefined ? [] : [hasInput(part)], call, context);
  },
});

export const startJobsQuery = operation<MediaconvertContext, StartJobsQueryRequest, StartJobsQueryResponse>(
  StartJobsQuery$,
  {
    authorize: (_input, call) => [{ action: 'mediaconvert:StartJobsQuery', resource: accountArn(scopeOf(call)) }],
    async handle(input, call, { store, rootKey, clock, randomness }) {
      for (const [index, { Key: key, Values: values = [] }] of (input.FilterList ?? []).entries()) {
        const pointer = `/filterList/${index}`;
        if (key === undefined) throw badRequest(`${pointer}: key is a required property`);
        if (values.length === 0) throw badRequest(`${pointer}/values: Should have at least 1 items`);
      }
      if (input.NextToken !== undefined) decodePageToken(input.NextToken);
      const name = randomness.uuid();
      const now = clock.now();
      const record = newResource(rootKey, scopeOf(call), { kind: 'query', name, document: input, now });
      const obstacle = await store.resources.add(record, MAX_QUERIES);
      if (obstacle === 'full') throw tooManyRequests(`At most ${MAX_QUERIES} jobs queries are kept at a time.`);
      return { Id: name };
    },
  },
);

/** The query is carried out when its results are asked for. */
export const getJobsQueryResults = operation<
  MediaconvertContext,
  GetJobsQueryResultsRequest,
  GetJobsQueryResultsResponse
>(GetJobsQueryResults$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:GetJobsQueryResults', resource: accountArn(scopeOf(call)) }],
  async handle({ Id = '' }, call, context) {
    const record = await context.store.resources.find(scopeOf(call), 'query', Id);
    if (record === undefined) throw notFound(`The jobs query ${Id} does not exist.`);
    const query = openDocument<StartJobsQueryRequest>(context.rootKey, record);
    const found = await find(query, {}, conditionsOf(query.FilterList ?? [], scopeOf(call)), call, context);
    return { Status: 'COMPLETE', ...found };
  },
});

async function find(
  page: Pick<SearchJobsRequest, 'MaxResults' | 'NextToken' | 'Order'>,
  filter: Pick<JobFilter, 'status' | 'queue'>,
  conditions: readonly JobCondition[],
  call: Call,
  { store, rootKey, clock }: MediaconvertContext,
): Promise<SearchJobsResponse> {
  const jobs = await searchJobs(store, rootKey, scopeOf(call), {
    filter,
    conditions,
    isAscending: page.Order === 'ASCENDING',
    since: clock.now() - JOB_RETENTION_MS,
    after: page.NextToken === undefined ? undefined : decodePageToken(page.NextToken),
    limit: pageLimit(page.MaxResults) + 1,
  });
  const next = nextTokenOf(jobs, page.MaxResults, ({ created_at, id }) => ({ createdAt: created_at, id }));
  return {
    Jobs: jobs.slice(0, pageLimit(page.MaxResults)).map((job) => jobView(rootKey, job)),
    ...(next !== undefined && { NextToken: next }),
  };
}
