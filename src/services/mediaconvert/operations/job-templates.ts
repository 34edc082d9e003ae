import {
  CreateJobTemplate$,
  type CreateJobTemplateRequest,
  type CreateJobTemplateResponse,
  DeleteJobTemplate$,
  type DeleteJobTemplateRequest,
  type DeleteJobTemplateResponse,
  GetJobTemplate$,
  type GetJobTemplateRequest,
  type GetJobTemplateResponse,
  type JobTemplateSettings,
  ListJobTemplates$,
  type ListJobTemplatesRequest,
  type ListJobTemplatesResponse,
  UpdateJobTemplate$,
  type UpdateJobTemplateRequest,
  type UpdateJobTemplateResponse,
} from '@aws-sdk/client-mediaconvert';
import { type AccessRequest, type Call, operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { templateProblems } from '../domain/draft-rules.ts';
import { templateDocument, templateView } from '../domain/library.ts';
import { presetsOf } from '../domain/merge-settings.ts';
import { arnOf, nameOf } from '../domain/names.ts';
import { creationAccess, scopeOf, tagsOf } from '../domain/scope.ts';
import { SYSTEM_TEMPLATES, systemTemplate } from '../domain/system-presets.ts';
import { invalidSettings } from '../errors.ts';
import { absent, addTo, changeOn, listShelf, removeFrom, type Shelf, shelfAccess } from './library-calls.ts';

const SHELF: Shelf = { kind: 'template', type: 'jobTemplates', title: 'job template' };

/** Settings may hold content keys. */
const secretMembers = ['Settings'];

export const createJobTemplate = operation<MediaconvertContext, CreateJobTemplateRequest, CreateJobTemplateResponse>(
  CreateJobTemplate$,
  {
    secretMembers,
    async authorize(input, call, context) {
      const action = 'mediaconvert:CreateJobTemplate';
      const own = creationAccess(action, scopeOf(call), SHELF.type, input.Name ?? '', input.Tags);
      const named = await namedAccess(action, input, call, context);
      // The right to make one is given for what it names, where it names anything.
      return named.length === 0 ? own : [...named, ...own.slice(1)];
    },
    async handle(input, call, context) {
      const { Name, Category, Tags } = input;
      await checkSettings(input.Settings, call, context);
      const record = await addTo(SHELF, { Name, Category, Tags }, templateDocument(input), call, context);
      return { JobTemplate: templateView(context.rootKey, scopeOf(call), record) };
    },
  },
);

export const updateJobTemplate = operation<MediaconvertContext, UpdateJobTemplateRequest, UpdateJobTemplateResponse>(
  UpdateJobTemplate$,
  {
    secretMembers,
    authorize: async (input, call, context) => [
      ...(await shelfAccess(SHELF, 'mediaconvert:UpdateJobTemplate', input.Name, call, context)),
      ...(await namedAccess('mediaconvert:UpdateJobTemplate', input, call, context)),
    ],
    async handle(input, call, context) {
      const { Name, Category } = input;
      await checkSettings(input.Settings, call, context);
      const record = await changeOn(SHELF, { Name, Category }, templateDocument(input), call, context);
      return { JobTemplate: templateView(context.rootKey, scopeOf(call), record) };
    },
  },
);

export const deleteJobTemplate = operation<MediaconvertContext, DeleteJobTemplateRequest, DeleteJobTemplateResponse>(
  DeleteJobTemplate$,
  {
    authorize: ({ Name }, call, context) => shelfAccess(SHELF, 'mediaconvert:DeleteJobTemplate', Name, call, context),
    async handle({ Name }, call, context) {
      await removeFrom(SHELF, Name, call, context);
      return {};
    },
  },
);

export const getJobTemplate = operation<MediaconvertContext, GetJobTemplateRequest, GetJobTemplateResponse>(
  GetJobTemplate$,
  {
    authorize: ({ Name }, call, context) => shelfAccess(SHELF, 'mediaconvert:GetJobTemplate', Name, call, context),
    async handle({ Name = '' }, call, context) {
      const found = await context.library.template(scopeOf(call), Name);
      if (found === undefined) throw absent(SHELF, Name);
      return { JobTemplate: found };
    },
  },
);

export const listJobTemplates = operation<MediaconvertContext, ListJobTemplatesRequest, ListJobTemplatesResponse>(
  ListJobTemplates$,
  {
    authorize: (_input, call) => [
      { action: 'mediaconvert:ListJobTemplates', resource: arnOf(scopeOf(call), SHELF.type, '*') },
    ],
    async handle(input, call, context) {
      const scope = scopeOf(call);
      const system = () =>
        SYSTEM_TEMPLATES.flatMap((name) => {
          const known = systemTemplate(scope, name);
          return known === undefined ? [] : [known];
        });
      const { items, NextToken } = await listShelf(SHELF, input, call, context, system, (record) =>
        templateView(context.rootKey, scope, record),
      );
      return { JobTemplates: items, ...(NextToken !== undefined && { NextToken }) };
    },
  },
);

/** @throws ServiceError which names every setting that no job could carry out */
async function checkSettings(
  settings: JobTemplateSettings | undefined,
  call: Call,
  { library }: MediaconvertContext,
): Promise<void> {
  if (settings === undefined) return;
  const presets = await library.presets(scopeOf(call), presetsOf(settings));
  const problems = templateProblems(settings, presets);
  if (problems.length > 0) throw invalidSettings(problems);
}

/** What a template names, its queue and its presets, the caller must be allowed to use. */
async function namedAccess(
  action: string,
  input: Partial<Pick<CreateJobTemplateRequest, 'Queue' | 'Settings' | 'Tags'>>,
  call: Call,
  { store }: MediaconvertContext,
): Promise<AccessRequest[]> {
  const scope = scopeOf(call);
  const requests: AccessRequest[] = [];
  const add = async (type: 'queues' | 'presets', kind: 'queue' | 'preset', given: string) => {
    const name = nameOf(given, type, scope) ?? given;
    const resourceTags = tagsOf(await store.resources.find(scope, kind, name));
    const requestTags = input.Tags === undefined ? {} : { requestTags: input.Tags };
    requests.push({ action, resource: arnOf(scope, type, name), resourceTags, ...requestTags });
  };
  if (input.Queue !== undefined) await add('queues', 'queue', input.Queue);
  for (const preset of presetsOf(input.Settings)) await add('presets', 'preset', preset);
  return requests;
}
