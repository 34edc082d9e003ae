import type { JobSettings, Output, Preset, PresetSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { jobSettingsRule, output } from './job-settings-rules.ts';
import { presetsOf, resolvePresets } from './merge-settings.ts';

/**
 * What is wrong with the settings of a template, which a job completes: what they say has to be right, and what they
 * leave out is the job's to give.
 *
 * @param presets those that its outputs name; where one is not there, only the job can be looked at
 */
export function templateProblems(settings: JobSettings, presets: ReadonlyMap<string, Preset>): readonly Problem[] {
  if (presetsOf(settings).some((name) => !presets.has(name))) return [];
  const problems: Problem[] = [];
  jobSettingsRule(resolvePresets(settings, presets, problems), '', problems);
  return wrong(problems);
}

/** What is wrong with the settings of a preset, which becomes a part of an output. */
export function presetProblems(settings: PresetSettings): readonly Problem[] {
  const problems: Problem[] = [];
  output(settings as Output, '', problems);
  return wrong(problems);
}

function wrong(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ isMissing }) => isMissing !== true);
}
