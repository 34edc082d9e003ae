import {
  CreateResourceShare$,
  type CreateResourceShareRequest,
  type CreateResourceShareResponse,
} from '@aws-sdk/client-mediaconvert';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { sealShares, sharesOf } from '../domain/job-share.ts';
import { nameOf } from '../domain/names.ts';
import { scopeOf } from '../domain/scope.ts';
import { badRequest, quotaExceeded } from '../errors.ts';
import { jobAccess, jobNotFound } from './jobs.ts';

/** What support cases may be called: printable ASCII. */
const CASE = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;
const MAX_CASES = 20;

/**
 * Lets the operators of the installation look into a job: AWS's support is not here. They read a report on it
 * (`support/support-report.ts`), and no media. The same case again changes nothing.
 */
export const createResourceShare = operation<
  MediaconvertContext,
  CreateResourceShareRequest,
  CreateResourceShareResponse
>(CreateResourceShare$, {
  authorize: ({ JobId = '' }, call, context) => {
    const id = nameOf(JobId, 'jobs', scopeOf(call)) ?? JobId;
    return jobAccess('mediaconvert:CreateResourceShare', id, call, context);
  },
  async handle({ JobId = '', SupportCaseId = '' }, call, { store, rootKey, clock }) {
    const scope = scopeOf(call);
    if (!CASE.test(SupportCaseId)) throw badRequest('/supportCaseId: Should be 1 to 256 printable ASCII characters');
    const id = nameOf(JobId, 'jobs', scope);
    const isFound =
      id !== undefined &&
      (await store.changeShares(scope, id, (job) => {
        const shares = sharesOf(rootKey, job);
        if (job.shares !== null && shares.some(({ supportCaseId }) => supportCaseId === SupportCaseId))
          return job.shares;
        if (shares.length >= MAX_CASES) {
          throw quotaExceeded(`A job can be shared for at most ${MAX_CASES} support cases.`);
        }
        return sealShares(rootKey, id, [...shares, { supportCaseId: SupportCaseId, at: clock.now() }]);
      }));
    if (!isFound) throw jobNotFound(JobId);
    return {};
  },
});
