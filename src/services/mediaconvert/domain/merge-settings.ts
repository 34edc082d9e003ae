import type {
  CreateJobRequest,
  JobSettings,
  JobTemplate,
  Output,
  Preset,
  PresetSettings,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';

type Plain = Readonly<Record<string, unknown>>;

/**
 * Lays settings over others: objects member by member, everything else (lists too) as a whole.
 *
 * @param byIndex lists that are laid over one another item by item
 */
function mergeOver<Value>(below: Value, above: Value, byIndex: ReadonlySet<string> = NONE): Value {
  return merged(below, above, '', byIndex) as Value;
}

const NONE: ReadonlySet<string> = new Set();

function merged(below: unknown, above: unknown, name: string, byIndex: ReadonlySet<string>): unknown {
  if (above === undefined || above === null) return below;
  if (Array.isArray(above) && Array.isArray(below) && byIndex.has(name)) {
    const length = Math.max(above.length, below.length);
    return Array.from({ length }, (_, index) => merged(below[index], above[index], '', byIndex));
  }
  if (!isPlain(above) || !isPlain(below)) return above;
  const result: Record<string, unknown> = { ...below };
  for (const [member, value] of Object.entries(above)) result[member] = merged(below[member], value, member, byIndex);
  return result;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** A template has one input, groups and outputs, which the job's are laid over in their order. */
const TEMPLATE_LISTS: ReadonlySet<string> = new Set(['Inputs', 'OutputGroups', 'Outputs']);

/** The job's settings over its template's. */
function overTemplate(template: JobSettings, job: JobSettings): JobSettings {
  return mergeOver(template, job, TEMPLATE_LISTS);
}

/** What a template says, with what the request says over it. */
export function underTemplate(input: CreateJobRequest, template: JobTemplate | undefined): CreateJobRequest {
  if (template === undefined) return input;
  const { Queue, Priority, StatusUpdateInterval, AccelerationSettings, HopDestinations } = template;
  const below = { Queue, Priority, StatusUpdateInterval, AccelerationSettings, HopDestinations };
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== null));
  return {
    ...(Object.fromEntries(
      Object.entries(below).filter(([, value]) => value !== undefined),
    ) as Partial<CreateJobRequest>),
    ...(given as unknown as CreateJobRequest),
    Settings: overTemplate(template.Settings ?? {}, input.Settings ?? {}),
  };
}

/** The names or ARNs of the presets that settings name. */
export function presetsOf(settings: JobSettings | undefined): readonly string[] {
  const outputs = (settings?.OutputGroups ?? []).flatMap((group) => group.Outputs ?? []);
  return [...new Set(outputs.flatMap(({ Preset: preset }) => (preset === undefined ? [] : [preset])))];
}

/**
 * Puts presets' settings into the outputs that name them, below the outputs' own.
 *
 * @param presets by the names or ARNs by which the outputs name them
 * @returns the same settings where no output names a preset
 */
export function resolvePresets(
  settings: JobSettings,
  presets: ReadonlyMap<string, Preset>,
  problems: Problem[],
): JobSettings {
  if (presetsOf(settings).length === 0) return settings;
  const OutputGroups = settings.OutputGroups?.map((group, groupIndex) => {
    const Outputs = group.Outputs?.map((output, index) => {
      const { Preset: name, ...own } = output;
      if (name === undefined) return output;
      const preset = presets.get(name);
      if (preset !== undefined) return mergeOver<Output>(outputOf(preset.Settings), own);
      const pointer = `/outputGroups/${groupIndex}/outputs/${index}/preset`;
      problems.push({ pointer, text: `There is no preset ${name}`, isMissing: true });
      return own;
    });
    return { ...group, ...(Outputs !== undefined && { Outputs }) };
  });
  return { ...settings, ...(OutputGroups !== undefined && { OutputGroups }) };
}

function outputOf(settings: PresetSettings | undefined): Output {
  return (settings ?? {}) as Output;
}
