import type { HlsImageBasedTrickPlaySettings, OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { type SettingRule, carriedOut, missing, oneOf, structure } from './setting-rule.ts';

/** Key frames stand at irregular times, for which a tile has no place: FOLLOW_IFRAME is refused. */
export const trickPlaySettings: SettingRule<HlsImageBasedTrickPlaySettings> = structure<HlsImageBasedTrickPlaySettings>(
  {
    IntervalCadence: oneOf('FOLLOW_CUSTOM', 'FOLLOW_SEGMENTATION'),
    ThumbnailHeight: carriedOut,
    ThumbnailWidth: carriedOut,
    ThumbnailInterval: carriedOut,
    TileHeight: carriedOut,
    TileWidth: carriedOut,
  },
);

/** Of JPEG's and MediaConvert's sizes. */
const MAX_SIDE = 4096;
const DEFAULT_WIDTH = 312;

export function checkTrickPlayImages(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const {
    HlsGroupSettings: hls,
    DashIsoGroupSettings: dash,
    CmafGroupSettings: cmaf,
  } = group.OutputGroupSettings ?? {};
  for (const [member, settings] of [
    ['hlsGroupSettings', hls],
    ['dashIsoGroupSettings', dash],
    ['cmafGroupSettings', cmaf],
  ] as const) {
    const { ImageBasedTrickPlay: kind = 'NONE', ImageBasedTrickPlaySettings: own } = settings ?? {};
    const at = `${pointer}/outputGroupSettings/${member}/imageBasedTrickPlay`;
    const picture = group.Outputs?.find(({ VideoDescription: video }) => video !== undefined)?.VideoDescription;
    if (kind !== 'NONE' && (picture === undefined || picture.CodecSettings?.Codec === 'PASSTHROUGH')) {
      problems.push({ pointer: at, text: 'Needs an output with an encoded picture, the first one of the group' });
    }
    if (kind !== 'ADVANCED' && own !== undefined) {
      problems.push({ pointer: `${at}Settings`, text: 'Needs imageBasedTrickPlay ADVANCED' });
    }
    if (kind === 'ADVANCED') checkAdvanced(own ?? {}, `${at}Settings`, problems);
  }
}

function checkAdvanced(settings: HlsImageBasedTrickPlaySettings, pointer: string, problems: Problem[]): void {
  const { IntervalCadence: cadence, ThumbnailInterval: interval, ThumbnailWidth: width = DEFAULT_WIDTH } = settings;
  const { ThumbnailHeight: height, TileWidth: columns = 1, TileHeight: rows = 1 } = settings;
  if (cadence === undefined) problems.push(missing(pointer, 'intervalCadence'));
  if (cadence === 'FOLLOW_CUSTOM' && interval === undefined) problems.push(missing(pointer, 'thumbnailInterval'));
  if (interval !== undefined && cadence !== 'FOLLOW_CUSTOM') {
    problems.push({ pointer: `${pointer}/thumbnailInterval`, text: 'Needs intervalCadence FOLLOW_CUSTOM' });
  }
  if (interval !== undefined && !(interval > 0)) {
    problems.push({ pointer: `${pointer}/thumbnailInterval`, text: 'Should be greater than 0' });
  }
  if (cadence === 'FOLLOW_SEGMENTATION' && (columns !== 1 || rows !== 1)) {
    problems.push({ pointer: `${pointer}/tileWidth`, text: 'FOLLOW_SEGMENTATION needs tiles of 1 x 1' });
  }
  if (width % 8 !== 0) problems.push({ pointer: `${pointer}/thumbnailWidth`, text: 'Should be divisible by 8' });
  if (height !== undefined && height % 2 !== 0) {
    problems.push({ pointer: `${pointer}/thumbnailHeight`, text: 'Should be divisible by 2' });
  }
  if (width * columns > MAX_SIDE || (height ?? 2) * rows > MAX_SIDE) {
    problems.push({ pointer, text: `An image should have at most ${MAX_SIDE} pixels to a side` });
  }
}
