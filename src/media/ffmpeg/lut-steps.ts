import type { ColorLut } from '../color-lut.ts';
import type { ColorSpace, OutputColor } from '../color-settings.ts';
import type { Rational } from '../video-settings.ts';
import { type Color, completed } from './color.ts';
import type { Step } from './graph-text.ts';
import type { ImageSources } from './image-overlay.ts';

/** Of ten thousandths, in which light is told. */
const LIGHT_UNIT = 10_000;

interface Conversion {
  readonly from: Color;
  readonly to: Color;
  readonly settings: OutputColor | undefined;
  readonly height: number;
  readonly framerate: Rational;
}

/** Brings pictures from one colour space into another by a table; `undefined` where no table is for these two. */
export function lutSteps(
  luts: readonly ColorLut[],
  { from, to, settings, height, framerate }: Conversion,
  sources: ImageSources,
): Step[] | undefined {
  if (settings?.space === undefined) return undefined;
  const known = completed(from, height);
  const peaks = {
    from: from.peak,
    to: settings.peak ?? (settings.hdr === undefined ? undefined : settings.hdr.maximum / LIGHT_UNIT),
  };
  const lut = luts.find(
    (one) =>
      isSame(one.from, known) &&
      isSame(one.to, to) &&
      (one.fromPeak === undefined || one.fromPeak === peaks.from) &&
      (one.toPeak === undefined || one.toPeak === peaks.to),
  );
  if (lut === undefined) return undefined;
  const { source, label } = sources.addLut(lut, framerate);
  const read = `pin=${known.primaries}:tin=${known.transfer}:min=${known.matrix}:rin=0`;
  const written = `p=${to.primaries}:t=${to.transfer}:m=${to.matrix}:r=0`;
  return [
    `zscale=${read}:p=${known.primaries}:t=${known.transfer}:m=0:r=1`,
    // FFmpeg's filter mixes the planes of 16 bits up.
    'format=gbrpf32le',
    { name: label, other: `${source},format=gbrpf32le`, filter: 'haldclut=interp=tetrahedral' },
    `zscale=pin=${to.primaries}:tin=${to.transfer}:min=0:rin=1:${written}`,
  ];
}

function isSame(space: ColorSpace, color: ColorSpace): boolean {
  return space.primaries === color.primaries && space.transfer === color.transfer && space.matrix === color.matrix;
}
