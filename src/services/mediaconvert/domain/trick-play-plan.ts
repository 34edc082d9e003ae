import type { TrickPlayImages } from '#media/output-group.ts';
import type { CmafGroupSettings, DashIsoGroupSettings, HlsGroupSettings } from '@aws-sdk/client-mediaconvert';

type Settings = Pick<
  HlsGroupSettings & DashIsoGroupSettings & CmafGroupSettings,
  'ImageBasedTrickPlay' | 'ImageBasedTrickPlaySettings'
>;

/** MediaConvert's width of a thumbnail. */
const WIDTH = 312;
/** As in Roku's example; MediaConvert's own layout is not documented. */
const COLUMNS = 5;
const ROWS = 2;

export function planTrickPlayImages(settings: Settings): { trickPlayImages?: readonly TrickPlayImages[] } {
  const { ImageBasedTrickPlay: kind = 'NONE', ImageBasedTrickPlaySettings: advanced = {} } = settings;
  if (kind === 'NONE') return {};
  const isOfSegments = advanced.IntervalCadence === 'FOLLOW_SEGMENTATION';
  const { ThumbnailHeight: height, ThumbnailInterval: interval } = advanced;
  const thumbnails: TrickPlayImages = {
    nameModifier: '_thumbnails',
    width: advanced.ThumbnailWidth ?? WIDTH,
    ...(height !== undefined && { height }),
    columns: advanced.TileWidth ?? (isOfSegments ? 1 : COLUMNS),
    rows: advanced.TileHeight ?? (isOfSegments ? 1 : ROWS),
    ...(interval !== undefined && !isOfSegments && { intervalSeconds: interval }),
  };
  if (kind !== 'THUMBNAIL_AND_FULLFRAME') return { trickPlayImages: [thumbnails] };
  return { trickPlayImages: [thumbnails, { nameModifier: '_fullframe', columns: 1, rows: 1 }] };
}
