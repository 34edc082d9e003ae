import type { GroupKey } from '#media/content-encryption.ts';
import type { SmoothGroup, SmoothOutput } from '#media/output-group.ts';
import type { MsSmoothGroupSettings, OutputGroup } from '@aws-sdk/client-mediaconvert';
import { planProvidedEncryption } from './content-encryption-plan.ts';
import { planSounds } from './output-sounds.ts';
import { groupFacts } from './group-facts.ts';
import { additionalManifests } from './manifest-plan.ts';
import { planCaptions } from './caption-plan.ts';
import { videoSettings } from './video-plan.ts';

const DEFAULT_FRAGMENT_SECONDS = 2;

/** @param keys of the group's key provider, where it has one */
export function planSmooth(group: OutputGroup, inputName: string, keys: readonly GroupKey[] | undefined): SmoothGroup {
  const smooth: MsSmoothGroupSettings = group.OutputGroupSettings?.MsSmoothGroupSettings ?? {};
  return {
    kind: 'smooth',
    ...groupFacts(smooth, inputName),
    segmentSeconds: smooth.FragmentLength ?? DEFAULT_FRAGMENT_SECONDS,
    alignment: smooth.FragmentLengthControl === 'GOP_MULTIPLE' ? 'gop-multiple' : 'exact',
    encoding: smooth.ManifestEncoding === 'UTF16' ? 'utf-16' : 'utf-8',
    ...additionalManifests(smooth),
    ...(smooth.Encryption !== undefined && { content: planProvidedEncryption(keys) }),
    outputs: planOutputs(group, smooth.AudioDeduplication === 'COMBINE_DUPLICATE_STREAMS'),
  };
}

/** @param isCombined true leaves out sound that an output before has too */
function planOutputs(group: OutputGroup, isCombined: boolean): SmoothOutput[] {
  const known = new Set<string>();
  return (group.Outputs ?? []).map((output) => {
    const video = videoSettings(output.VideoDescription, output.ContainerSettings?.Container);
    const all = planSounds(output);
    const fresh = all.filter((audio) => {
      const key = JSON.stringify(audio);
      const isNew = !known.has(key);
      known.add(key);
      return isNew;
    });
    return {
      nameModifier: output.NameModifier ?? '',
      extension: output.Extension ?? 'ismv',
      ...(video !== undefined && { video }),
      ...planCaptions(output),
      audios: isCombined && (video !== undefined || fresh.length > 0) ? fresh : all,
    };
  });
}
