import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type JobSettings, JobSettings$, JobTemplateSettings$, PresetSettings$ } from '@aws-sdk/client-mediaconvert';
import { NormalizedSchema } from '@smithy/core/schema';
import type { Problem } from '../errors.ts';
import { constraints } from '../generated/constraints.ts';
import { jobSettingsRule } from './job-settings-rules.ts';

interface Leaf {
  readonly path: readonly (string | 0)[];
  readonly structure: string;
  readonly member: string;
}

/** Every value below a schema; lists and maps have one item. */
function* leavesOf(schema: NormalizedSchema, owner = { structure: '', member: '' }): Generator<Leaf> {
  if (schema.isListSchema()) yield* under(0, leavesOf(schema.getValueSchema(), owner));
  else if (schema.isMapSchema()) yield* under('x', leavesOf(schema.getValueSchema(), owner));
  else if (schema.isStructSchema()) {
    for (const [member, value] of schema.structIterator()) {
      yield* under(member, leavesOf(value, { structure: schema.getName() ?? '', member }));
    }
  } else yield { path: [], ...owner };
}

function* under(first: string | 0, leaves: Generator<Leaf>): Generator<Leaf> {
  for (const leaf of leaves) yield { ...leaf, path: [first, ...leaf.path] };
}

function valueAt(path: readonly (string | 0)[], leaf: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return leaf;
  return first === 0 ? [valueAt(rest, leaf)] : { [first]: valueAt(rest, leaf) };
}

function isTaken({ path }: Leaf, value: unknown): boolean {
  const pointer = `/${path.map((name) => (name === 0 ? '0' : name.charAt(0).toLowerCase() + name.slice(1))).join('/')}`;
  const problems: Problem[] = [];
  jobSettingsRule(valueAt(path, value) as JobSettings, '', problems);
  return !problems.some(
    (problem) =>
      pointer === problem.pointer ||
      (problem.text === 'This setting is not supported' && pointer.startsWith(`${problem.pointer}/`)),
  );
}

function enumOf({ structure, member }: Leaf): readonly string[] {
  const constraint: object = constraints[structure]?.[member] ?? {};
  return 'enum' in constraint ? (constraint.enum as string[]) : [];
}

const leaves = [...leavesOf(NormalizedSchema.of(JobSettings$))];
/** What turns settings into work: all that is no rule and no test. */
const readers = ['domain', 'runner']
  .flatMap((folder) => globSync(`src/services/mediaconvert/${folder}/*.ts`))
  .filter((file) => !/-rules\.ts$|\.test\.ts$/.test(file))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/**
 * Members of which more than one value is taken although nothing reads them: why that is right stands with each. What
 * only says which other member holds the settings is not among them.
 */
const SETTLED: Readonly<Record<string, string>> = {
  'AudioSelector.AudioDurationCorrection': 'sound always follows its timestamps',
  'BurninDestinationSettings.RemoveRubyReserveAttributes': 'there is no ruby in the captions that are read',
  'DashIsoEncryptionSettings.PlaybackDeviceCompatibility':
    'all that is no slice, and the heads of slices, are always clear',
  'FileSourceSettings.ByteRateLimit': 'never more than two bytes go with a picture',
  'H264Settings.FieldEncoding': 'both that are taken are MBAFF, the other one is refused',
  'Input.FilterEnable': 'the rules ask that the filters say the same',
  'M2tsSettings.DataPTSControl': 'of data, which is refused',
  'M2tsSettings.DvbSubPids': 'of captions as DVB-sub, which are refused',
  'M2tsSettings.DvbTeletextPid': 'of teletext, which is refused',
  'M2tsSettings.EbpAudioInterval': 'of markers, which are refused',
  'M2tsSettings.EbpPlacement': 'of markers, which are refused',
  'M2tsSettings.ForceTsVideoEbpOrder': 'of markers, which are refused',
  'M2tsSettings.FragmentTime': 'of markers, which are refused',
  'M2tsSettings.MinEbpInterval': 'of markers, which are refused',
  'M2tsSettings.PrivateMetadataPid': 'of metadata, which are refused',
  'M2tsSettings.Scte35Pid': 'of SCTE-35, which is refused',
  'M2tsSettings.SegmentationStyle': 'of markers, which are refused',
  'M2tsSettings.SegmentationTime': 'of markers, which are refused',
  'M3u8Settings.DataPTSControl': 'of data, which is refused',
  'M3u8Settings.PrivateMetadataPid': 'of metadata, which are refused',
  'M3u8Settings.Scte35Pid': 'of SCTE-35, which is refused',
  'MotionImageInserter.InsertionMode': 'the rules ask that the file’s name says the same',
  'OutputGroup.CustomName': 'a label',
  'PassthroughSettings.FrameControl': 'of clips, which are refused with PASSTHROUGH',
  'RemixSettings.ChannelsIn': 'the rules ask that the channels say the same',
  'RemixSettings.ChannelsOut': 'the rules ask that the channels say the same',
};

/** Members whose values are not named one by one where they are read: by a number in them, a pattern, or as they are. */
const READ_BY_FORM: readonly string[] = [
  'AudioCodecSettings.Codec',
  'AudioNormalizationSettings.Algorithm',
  'AutomatedAbrRule.Type',
  'AvcIntraSettings.InterlaceMode',
  'BurninDestinationSettings.FallbackFont',
  'CmafGroupSettings.ImageBasedTrickPlay',
  'DashIsoGroupSettings.ImageBasedTrickPlay',
  'H264Settings.CodecLevel',
  'H264Settings.InterlaceMode',
  'H265Settings.CodecLevel',
  'H265Settings.CodecProfile',
  'HlsGroupSettings.ImageBasedTrickPlay',
  'Mpeg2Settings.InterlaceMode',
  'Mpeg2Settings.IntraDcPrecision',
  'ProresSettings.InterlaceMode',
  'TimecodeBurnin.Position',
  'Xavc4kProfileSettings.BitrateClass',
  'XavcHdProfileSettings.BitrateClass',
  'XavcHdProfileSettings.InterlaceMode',
  'XavcSettings.Profile',
];

describe('the settings that are taken', () => {
  test('are those of presets and templates too', () => {
    const known = new Set(leaves.map(({ path }) => path.join('/')));
    for (const [schema, prefix] of [
      [JobTemplateSettings$, ''],
      [PresetSettings$, 'OutputGroups/0/Outputs/0/'],
    ] as const) {
      const others = [...leavesOf(NormalizedSchema.of(schema))].map(({ path }) => prefix + path.join('/'));
      assert.ok(others.length > 500);
      assert.deepEqual(
        others.filter((path) => !known.has(path)),
        [],
      );
    }
  });

  test('are read by what plans the work', () => {
    const unread = new Set<string>();
    for (const leaf of leaves) {
      const values = enumOf(leaf);
      const taken = values.length === 0 ? [0] : values.filter((value) => isTaken(leaf, value));
      const isAsked = values.length === 0 ? isTaken(leaf, 'unheard of') : taken.length > 1;
      if (isAsked && !new RegExp(`\\b${leaf.member}\\b`).test(readers)) unread.add(`${leaf.structure}.${leaf.member}`);
    }
    assert.deepEqual([...unread].sort(), Object.keys(SETTLED).sort());
  });

  test('are read value by value', () => {
    const unnamed = new Map<string, string[]>();
    for (const leaf of leaves) {
      const key = `${leaf.structure}.${leaf.member}`;
      if (key in SETTLED || leaf.member.endsWith('LanguageCode')) continue;
      const taken = enumOf(leaf).filter((value) => isTaken(leaf, value));
      const missing = taken.filter((value) => !readers.includes(`'${value}'`) && !readers.includes(` ${value}:`));
      // One of them may be what is done where nothing else is said.
      if (missing.length > 1) unnamed.set(key, missing);
    }
    assert.deepEqual([...unnamed.keys()].sort(), READ_BY_FORM.toSorted(), JSON.stringify([...unnamed], null, 1));
  });
});
