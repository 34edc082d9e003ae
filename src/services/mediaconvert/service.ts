import * as sdk from '@aws-sdk/client-mediaconvert';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { MediaconvertContext } from './context.ts';
import { mediaconvertErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { createJob } from './operations/create-job.ts';
import { describeEndpoints } from './operations/describe-endpoints.ts';
import { cancelJob, getJob, listJobs } from './operations/jobs.ts';
import { getQueue, listQueues } from './operations/queues.ts';

export function mediaconvertService(context: MediaconvertContext): Service<MediaconvertContext> {
  return {
    name: 'mediaconvert',
    eventSource: 'mediaconvert.amazonaws.com',
    signingNames: ['mediaconvert'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    refusesUnknownMembers: true,
    operations: [createJob, getJob, listJobs, cancelJob, describeEndpoints, getQueue, listQueues],
    context,
    constraints,
    errors: mediaconvertErrors,
  };
}
