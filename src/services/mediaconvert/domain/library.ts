import type {
  CreateJobTemplateRequest,
  CreatePresetRequest,
  JobTemplate,
  Preset,
  UpdateJobTemplateRequest,
  UpdatePresetRequest,
} from '@aws-sdk/client-mediaconvert';
import type { RootKey } from '#crypto/root-key.ts';
import { notFound } from '../errors.ts';
import type { ResourceRecord, ResourceStore } from '../resource-store.ts';
import type { JobScope } from '../store.ts';
import { arnOf, nameOf } from './names.ts';
import { openDocument } from './resource-document.ts';
import { systemPreset, systemTemplate } from './system-presets.ts';

/** What is kept of a template and of a preset; the category stands in the record. */
export type TemplateDocument = Omit<CreateJobTemplateRequest, 'Name' | 'Tags' | 'Category'>;
export type PresetDocument = Omit<CreatePresetRequest, 'Name' | 'Tags' | 'Category'>;

export function templateDocument(
  input: CreateJobTemplateRequest | UpdateJobTemplateRequest,
): Partial<TemplateDocument> {
  const { Name: _name, Category: _category, ...rest } = input;
  return without(rest, 'Tags');
}

export function presetDocument(input: CreatePresetRequest | UpdatePresetRequest): Partial<PresetDocument> {
  const { Name: _name, Category: _category, ...rest } = input;
  return without(rest, 'Tags');
}

function without<Value extends object>(value: Value, member: string): Value {
  return Object.fromEntries(
    Object.entries(value).filter(([name, set]) => name !== member && set !== undefined),
  ) as Value;
}

export function templateView(rootKey: RootKey, scope: JobScope, record: ResourceRecord): JobTemplate {
  return { ...facts(scope, 'jobTemplates', record), ...openDocument<TemplateDocument>(rootKey, record) };
}

export function presetView(rootKey: RootKey, scope: JobScope, record: ResourceRecord): Preset {
  return { ...facts(scope, 'presets', record), ...openDocument<PresetDocument>(rootKey, record) };
}

function facts(scope: JobScope, type: 'jobTemplates' | 'presets', record: ResourceRecord) {
  return {
    Arn: arnOf(scope, type, record.name),
    Name: record.name,
    Type: 'CUSTOM' as const,
    ...(record.category !== null && { Category: record.category }),
    CreatedAt: new Date(record.created_at),
    LastUpdated: new Date(record.updated_at),
  };
}

/** An account's templates and presets, and AWS's. */
export class Library {
  readonly #store: ResourceStore;
  readonly #rootKey: RootKey;

  constructor(store: ResourceStore, rootKey: RootKey) {
    this.#store = store;
    this.#rootKey = rootKey;
  }

  /** @param given a name or an ARN */
  async template(scope: JobScope, given: string): Promise<JobTemplate | undefined> {
    const name = nameOf(given, 'jobTemplates', scope);
    if (name === undefined) return undefined;
    const record = await this.#store.find(scope, 'template', name);
    return record === undefined ? systemTemplate(scope, name) : templateView(this.#rootKey, scope, record);
  }

  /** @param names names or ARNs; the ones that there are none of are left out */
  async presets(scope: JobScope, names: readonly string[]): Promise<ReadonlyMap<string, Preset>> {
    const presets = new Map<string, Preset>();
    for (const name of names) {
      const preset = await this.preset(scope, name);
      if (preset !== undefined) presets.set(name, preset);
    }
    return presets;
  }

  /** @param given a name or an ARN */
  async preset(scope: JobScope, given: string): Promise<Preset | undefined> {
    const name = nameOf(given, 'presets', scope);
    if (name === undefined) return undefined;
    const record = await this.#store.find(scope, 'preset', name);
    return record === undefined ? systemPreset(scope, name) : presetView(this.#rootKey, scope, record);
  }
}

/** @throws ServiceError NotFoundException where a template is named that is not there */
export async function findTemplate(
  given: string | undefined,
  scope: JobScope,
  library: Library,
): Promise<JobTemplate | undefined> {
  if (given === undefined) return undefined;
  const template = await library.template(scope, given);
  if (template === undefined) throw notFound(`The job template ${given} does not exist.`);
  return template;
}
