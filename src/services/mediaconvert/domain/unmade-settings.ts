import type { JobSettings } from '@aws-sdk/client-mediaconvert';
import { type JobWarning, UNMADE_SETTING } from './job-warnings.ts';

/**
 * The settings that a job may ask for and does not get, as they bear on nothing that is seen or heard: jobs that ask for
 * them run, and say so. H.265's tiles only tell decoders what they may decode side by side, and x265 makes none.
 */
export function unmadeSettings(settings: JobSettings): readonly JobWarning[] {
  return (settings.OutputGroups ?? []).flatMap((group, groupIndex) =>
    (group.Outputs ?? []).flatMap((output, index) => {
      const { Tiles: tiles } = output.VideoDescription?.CodecSettings?.H265Settings ?? {};
      if (tiles !== 'ENABLED') return [];
      const pointer = `/outputGroups/${groupIndex}/outputs/${index}/videoDescription/codecSettings/h265Settings/tiles`;
      return [{ code: UNMADE_SETTING, message: `${pointer}: The pictures are encoded without tiles` }];
    }),
  );
}
