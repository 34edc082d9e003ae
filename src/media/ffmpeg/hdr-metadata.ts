import type { HdrMetadata } from '../color-settings.ts';

/** HDR10's static metadata as x265 takes it. */
export function x265Hdr(hdr: HdrMetadata | undefined): Record<string, string> {
  if (hdr === undefined) return {};
  const at = ([x, y]: readonly [number, number]): string => `(${x},${y})`;
  const { red, green, blue, white, minimum, maximum, maxContentLight, maxPictureLight } = hdr;
  return {
    hdr10: '1',
    'master-display': `G${at(green)}B${at(blue)}R${at(red)}WP${at(white)}L(${maximum},${minimum})`,
    'max-cll': `${maxContentLight},${maxPictureLight}`,
  };
}
