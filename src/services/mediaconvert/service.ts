import * as sdk from '@aws-sdk/client-mediaconvert';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { MediaconvertContext } from './context.ts';
import { mediaconvertErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { associateCertificate, disassociateCertificate } from './operations/certificates.ts';
import { createJob } from './operations/create-job.ts';
import { describeEndpoints } from './operations/describe-endpoints.ts';
import {
  createJobTemplate,
  deleteJobTemplate,
  getJobTemplate,
  listJobTemplates,
  updateJobTemplate,
} from './operations/job-templates.ts';
import { cancelJob, getJob, listJobs } from './operations/jobs.ts';
import { listVersions } from './operations/list-versions.ts';
import { deletePolicy, getPolicy, putPolicy } from './operations/policy.ts';
import { createPreset, deletePreset, getPreset, listPresets, updatePreset } from './operations/presets.ts';
import { probe } from './operations/probe.ts';
import { createQueue, deleteQueue, getQueue, listQueues, updateQueue } from './operations/queues.ts';
import { createResourceShare } from './operations/resource-shares.ts';
import { getJobsQueryResults, searchForJobs, startJobsQuery } from './operations/search-jobs.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';

export function mediaconvertService(context: MediaconvertContext): Service<MediaconvertContext> {
  return {
    name: 'mediaconvert',
    eventSource: 'mediaconvert.amazonaws.com',
    signingNames: ['mediaconvert'],
    protocol: 'restJson1',
    schemas: operationSchemasOf(sdk),
    refusesUnknownMembers: true,
    operations: [
      createJob,
      getJob,
      listJobs,
      cancelJob,
      searchForJobs,
      startJobsQuery,
      getJobsQueryResults,
      createQueue,
      updateQueue,
      deleteQueue,
      getQueue,
      listQueues,
      createJobTemplate,
      updateJobTemplate,
      deleteJobTemplate,
      getJobTemplate,
      listJobTemplates,
      createPreset,
      updatePreset,
      deletePreset,
      getPreset,
      listPresets,
      getPolicy,
      putPolicy,
      deletePolicy,
      tagResource,
      untagResource,
      listTagsForResource,
      associateCertificate,
      disassociateCertificate,
      describeEndpoints,
      createResourceShare,
      listVersions,
      probe,
    ],
    context,
    constraints,
    errors: mediaconvertErrors,
  };
}
