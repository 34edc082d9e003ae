import type { CreateJobRequest } from '@aws-sdk/client-mediaconvert';
import type { MediaconvertContext } from '../context.ts';
import { jobSettingsRule } from '../domain/job-settings-rules.ts';
import { DEFAULT_QUEUE } from '../domain/names.ts';
import { badRequest, invalidSettings, type Problem } from '../errors.ts';
import type { JobScope } from '../store.ts';
import type { Finding } from './finding.ts';
import { preflight } from './preflight.ts';

/**
 * A dry run of CreateJob, for the operator: are the settings such as Coffer carries out, and what does the role lack?
 *
 * @throws ServiceError BadRequestException, as CreateJob would
 */
export function preflightRequest(
  request: CreateJobRequest,
  scope: JobScope,
  { preflightParts }: MediaconvertContext,
): Promise<readonly Finding[]> {
  const { Settings: settings, Role: role, JobTemplate } = request;
  if (JobTemplate !== undefined) throw badRequest('/jobTemplate: A preflight looks at the settings alone');
  if (typeof role !== 'string' || settings === undefined) throw badRequest('/: Should have role and settings');
  const problems: Problem[] = [];
  jobSettingsRule(settings, '', problems);
  if (problems.length > 0) throw invalidSettings(problems);
  return preflight(preflightParts, { id: 'preflight', role, current_queue: DEFAULT_QUEUE, ...scope }, settings);
}
