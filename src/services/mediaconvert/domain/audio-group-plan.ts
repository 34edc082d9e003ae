import type { AudioDescription, AudioSelector, Input, JobSettings } from '@aws-sdk/client-mediaconvert';

/** The name of a group's selector at a place; no name that a job can give is like it. */
function memberName(group: string, place: number): string {
  return `${group}\u0000${place}`;
}

/**
 * Puts a track of its own into each output for every selector of the group that a description names: the first
 * selector of each input's group makes the first track, and so on.
 */
export function withGroupsSpread(settings: JobSettings): JobSettings {
  const sizes = groupSizes(settings);
  if (sizes.size === 0) return settings;
  return {
    ...settings,
    Inputs: settings.Inputs?.map(withMembers),
    OutputGroups: settings.OutputGroups?.map((group) => ({
      ...group,
      Outputs: group.Outputs?.map((output) => ({
        ...output,
        ...(output.AudioDescriptions !== undefined && {
          AudioDescriptions: output.AudioDescriptions.flatMap((audio) => spread(audio, sizes)),
        }),
      })),
    })),
  };
}

/** How many tracks each group makes: as many as the largest of that name has selectors. */
export function groupSizes(settings: JobSettings): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const input of settings.Inputs ?? []) {
    for (const [name, group] of Object.entries(input.AudioSelectorGroups ?? {})) {
      sizes.set(name, Math.max(sizes.get(name) ?? 0, group.AudioSelectorNames?.length ?? 0));
    }
  }
  return sizes;
}

function spread(audio: AudioDescription, sizes: ReadonlyMap<string, number>): AudioDescription[] {
  const { AudioSourceName: name = '' } = audio;
  const size = sizes.get(name);
  if (size === undefined) return [audio];
  return Array.from({ length: size }, (_, place) => ({ ...audio, AudioSourceName: memberName(name, place) }));
}

function withMembers(input: Input): Input {
  const members: Record<string, AudioSelector> = {};
  for (const [name, group] of Object.entries(input.AudioSelectorGroups ?? {})) {
    group.AudioSelectorNames?.forEach((selector, place) => {
      const found = input.AudioSelectors?.[selector];
      // One that is the default stays it under its own name alone.
      if (found !== undefined) members[memberName(name, place)] = { ...found, DefaultSelection: 'NOT_DEFAULT' };
    });
  }
  return { ...input, AudioSelectors: { ...input.AudioSelectors, ...members } };
}
