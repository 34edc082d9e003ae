import type { CreateJobRequest, JobSettings } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';

const WIDEST = 4096;
const HIGHEST = 2304;

/** What reserved queues do not do. */
export function checkReservedQueue(request: CreateJobRequest, settings: JobSettings, problems: Problem[]): void {
  const refuse = (pointer: string, what: string) =>
    problems.push({ pointer, text: `${what} cannot be used in a RESERVED queue` });
  if (request.AccelerationSettings?.Mode === 'ENABLED') {
    refuse('/accelerationSettings/mode', 'Accelerated transcoding');
  }
  settings.OutputGroups?.forEach((group, groupIndex) => {
    const at = `/outputGroups/${groupIndex}`;
    if (group.AutomatedEncodingSettings !== undefined) refuse(`${at}/automatedEncodingSettings`, 'Automated ABR');
    group.Outputs?.forEach(({ VideoDescription: video }, index) => {
      const pointer = `${at}/outputs/${index}/videoDescription`;
      if (video?.CodecSettings?.Codec === 'AV1') refuse(`${pointer}/codecSettings/codec`, 'AV1');
      if ((video?.Width ?? 0) > WIDEST || (video?.Height ?? 0) > HIGHEST) refuse(pointer, '8K');
    });
  });
}
