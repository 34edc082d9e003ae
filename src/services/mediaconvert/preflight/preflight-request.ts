import type { CreateJobRequest } from '@aws-sdk/client-mediaconvert';
import type { MediaconvertContext } from '../context.ts';
import { jobSettingsRule } from '../domain/job-settings-rules.ts';
import { findTemplate } from '../domain/library.ts';
import { presetsOf, resolvePresets, underTemplate } from '../domain/merge-settings.ts';
import { DEFAULT_QUEUE, nameOf } from '../domain/names.ts';
import { badRequest, invalidSettings, type Problem } from '../errors.ts';
import type { JobScope } from '../store.ts';
import type { Finding } from './finding.ts';
import { preflight } from './preflight.ts';

/**
 * A dry run of CreateJob, for the operator: are the settings, with those of the template and the presets that they name,
 * such as Coffer carries out, and what does the role lack?
 *
 * @throws ServiceError BadRequestException and NotFoundException, as CreateJob would
 */
export async function preflightRequest(
  request: CreateJobRequest,
  scope: JobScope,
  { preflightParts, library }: MediaconvertContext,
): Promise<readonly Finding[]> {
  const role = request.Role;
  if (typeof role !== 'string' || (request.Settings ?? request.JobTemplate) === undefined) {
    throw badRequest('/: Should have role and settings');
  }
  const whole = underTemplate(request, await findTemplate(request.JobTemplate, scope, library));
  const problems: Problem[] = [];
  const presets = await library.presets(scope, presetsOf(whole.Settings));
  const settings = resolvePresets(whole.Settings ?? {}, presets, problems);
  jobSettingsRule(settings, '', problems);
  if (problems.length > 0) throw invalidSettings(problems);
  const queue = nameOf(whole.Queue ?? DEFAULT_QUEUE, 'queues', scope) ?? DEFAULT_QUEUE;
  return preflight(preflightParts, { id: 'preflight', role, current_queue: queue, ...scope }, settings);
}
