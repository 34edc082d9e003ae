import {
  CreatePreset$,
  type CreatePresetRequest,
  type CreatePresetResponse,
  DeletePreset$,
  type DeletePresetRequest,
  type DeletePresetResponse,
  GetPreset$,
  type GetPresetRequest,
  type GetPresetResponse,
  ListPresets$,
  type ListPresetsRequest,
  type ListPresetsResponse,
  type PresetSettings,
  UpdatePreset$,
  type UpdatePresetRequest,
  type UpdatePresetResponse,
} from '@aws-sdk/client-mediaconvert';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { presetProblems } from '../domain/draft-rules.ts';
import { presetDocument, presetView } from '../domain/library.ts';
import { arnOf } from '../domain/names.ts';
import { creationAccess, scopeOf } from '../domain/scope.ts';
import { SYSTEM_PRESETS, systemPreset } from '../domain/system-presets.ts';
import { invalidSettings } from '../errors.ts';
import { absent, addTo, changeOn, listShelf, removeFrom, type Shelf, shelfAccess } from './library-calls.ts';

const SHELF: Shelf = { kind: 'preset', type: 'presets', title: 'preset' };

/** Settings may hold content keys. */
const secretMembers = ['Settings'];

export const createPreset = operation<MediaconvertContext, CreatePresetRequest, CreatePresetResponse>(CreatePreset$, {
  secretMembers,
  authorize: ({ Name = '', Tags }, call) =>
    creationAccess('mediaconvert:CreatePreset', scopeOf(call), SHELF.type, Name, Tags),
  async handle(input, call, context) {
    const { Name, Category, Tags } = input;
    checkSettings(input.Settings);
    const record = await addTo(SHELF, { Name, Category, Tags }, presetDocument(input), call, context);
    return { Preset: presetView(context.rootKey, scopeOf(call), record) };
  },
});

export const updatePreset = operation<MediaconvertContext, UpdatePresetRequest, UpdatePresetResponse>(UpdatePreset$, {
  secretMembers,
  authorize: ({ Name }, call, context) => shelfAccess(SHELF, 'mediaconvert:UpdatePreset', Name, call, context),
  async handle(input, call, context) {
    const { Name, Category } = input;
    checkSettings(input.Settings);
    const record = await changeOn(SHELF, { Name, Category }, presetDocument(input), call, context);
    return { Preset: presetView(context.rootKey, scopeOf(call), record) };
  },
});

export const deletePreset = operation<MediaconvertContext, DeletePresetRequest, DeletePresetResponse>(DeletePreset$, {
  authorize: ({ Name }, call, context) => shelfAccess(SHELF, 'mediaconvert:DeletePreset', Name, call, context),
  async handle({ Name }, call, context) {
    await removeFrom(SHELF, Name, call, context);
    return {};
  },
});

export const getPreset = operation<MediaconvertContext, GetPresetRequest, GetPresetResponse>(GetPreset$, {
  authorize: ({ Name }, call, context) => shelfAccess(SHELF, 'mediaconvert:GetPreset', Name, call, context),
  async handle({ Name = '' }, call, context) {
    const found = await context.library.preset(scopeOf(call), Name);
    if (found === undefined) throw absent(SHELF, Name);
    return { Preset: found };
  },
});

export const listPresets = operation<MediaconvertContext, ListPresetsRequest, ListPresetsResponse>(ListPresets$, {
  authorize: (_input, call) => [
    { action: 'mediaconvert:ListPresets', resource: arnOf(scopeOf(call), SHELF.type, '*') },
  ],
  async handle(input, call, context) {
    const scope = scopeOf(call);
    const system = () =>
      SYSTEM_PRESETS.flatMap((name) => {
        const known = systemPreset(scope, name);
        return known === undefined ? [] : [known];
      });
    const { items, NextToken } = await listShelf(SHELF, input, call, context, system, (record) =>
      presetView(context.rootKey, scope, record),
    );
    return { Presets: items, ...(NextToken !== undefined && { NextToken }) };
  },
});

/** @throws ServiceError which names every setting that no job could carry out */
function checkSettings(settings: PresetSettings | undefined): void {
  const problems = settings === undefined ? [] : presetProblems(settings);
  if (problems.length > 0) throw invalidSettings(problems);
}
