import type { GroupKey } from '#media/content-encryption.ts';
import { baseNameOf } from '#media/media-location.ts';
import type { OutputGroup } from '#media/output-group.ts';
import type { TranscodeJob } from '#media/transcode-job.ts';
import type { JobSettings, OutputGroup as OutputGroupSettings } from '@aws-sdk/client-mediaconvert';
import { planSounds } from './output-sounds.ts';
import { withGroupsSpread } from './audio-group-plan.ts';
import { planAbr } from './abr-plan.ts';
import { planLuts } from './color-plan.ts';
import { planFileOutput } from './file-plan.ts';
import { planCmaf, planDash, planFragmentedOutputs } from './fragmented-plan.ts';
import { groupFacts } from './group-facts.ts';
import { planHls, planHlsOutput } from './hls-plan.ts';
import { planSmooth } from './smooth-plan.ts';
import { planMotion } from './image-plan.ts';
import { planInput } from './input-plan.ts';
import { outputTimecode } from './picture-plan.ts';
import { planTimedMetadata } from './timed-metadata-plan.ts';

/**
 * Turns job settings that passed the rules into what a worker does.
 *
 * @param startedAt milliseconds since the epoch, for names with date and time
 * @param contentKeys what key providers gave for the groups, in their order
 * @param inputKeys the plain data keys of the inputs that were encrypted before they were stored, in the inputs' order
 */
export function planTranscode(
  asked: JobSettings,
  startedAt: number,
  inputKeys: readonly (Uint8Array | undefined)[] = [],
  contentKeys: readonly (readonly GroupKey[] | undefined)[] = [],
): TranscodeJob {
  const settings = withGroupsSpread(asked);
  const motion = settings.MotionImageInserter && planMotion(settings.MotionImageInserter);
  const inputs = (settings.Inputs ?? []).map((input, index) => {
    const planned = planInput(input, inputKeys[index]);
    return motion === undefined ? planned : { ...planned, picture: { ...planned.picture, motion } };
  });
  const [first] = inputs;
  const inputName = first === undefined ? '' : baseNameOf(first.source);
  const firstTimecode = outputTimecode(settings);
  const date = settings.TimecodeConfig?.TimestampOffset;
  return {
    inputs,
    startedAt,
    firstTimecode,
    ...(date !== undefined && { firstDate: date }),
    ...planTimedMetadata(settings),
    ...planLuts(settings),
    groups: (settings.OutputGroups ?? []).map((group, index) => planGroup(group, inputName, contentKeys[index])),
  };
}

function planGroup(group: OutputGroupSettings, inputName: string, keys: readonly GroupKey[] | undefined): OutputGroup {
  const abr = group.AutomatedEncodingSettings?.AbrSettings;
  const planned = planOutputs(group, inputName, keys);
  return abr === undefined ? planned : { ...planned, abr: planAbr(abr) };
}

function planOutputs(
  group: OutputGroupSettings,
  inputName: string,
  keys: readonly GroupKey[] | undefined,
): OutputGroup {
  const settings = group.OutputGroupSettings ?? {};
  const outputs = group.Outputs ?? [];
  if (settings.Type === 'HLS_GROUP_SETTINGS') {
    const hls = settings.HlsGroupSettings ?? {};
    return {
      ...planHls(hls, keys),
      ...groupFacts(hls, inputName),
      outputs: outputs.map((output) => planHlsOutput(output, hls)),
    };
  }
  if (settings.Type === 'DASH_ISO_GROUP_SETTINGS' || settings.Type === 'CMAF_GROUP_SETTINGS') {
    const { CmafGroupSettings: cmaf = {}, DashIsoGroupSettings: dash = {} } = settings;
    const isDash = settings.Type === 'DASH_ISO_GROUP_SETTINGS';
    const planned = planFragmentedOutputs(group, planSounds);
    const facts = groupFacts(isDash ? dash : cmaf, inputName);
    return { ...(isDash ? planDash(dash, keys) : planCmaf(cmaf, keys)), ...facts, outputs: planned };
  }
  if (settings.Type === 'MS_SMOOTH_GROUP_SETTINGS') return planSmooth(group, inputName, keys);
  const file = settings.FileGroupSettings ?? {};
  return { kind: 'file', ...groupFacts(file, inputName), outputs: outputs.map(planFileOutput) };
}
