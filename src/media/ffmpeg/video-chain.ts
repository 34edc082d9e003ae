import type { ColorLut } from '../color-lut.ts';
import type { InsertedImage, OutputPicture } from '../picture-settings.ts';
import type { Rational, VideoSettings } from '../video-settings.ts';
import { type Picture, planPicture } from './picture-size.ts';
import { burnIn } from './burnt-timecode.ts';
import { type Color, conversionSteps, correctionSteps, FULL_RANGE, matrixOption } from './color.ts';
import { deinterlaceSteps } from './deinterlace.ts';
import { type Areas, cropped, requireInside } from './geometry.ts';
import type { Step } from './graph-text.ts';
import { type ImageSources, imageSteps } from './image-overlay.ts';
import { bandwidthFilters, fieldFilters, pictureRate } from './scan-filters.ts';
import { lutSteps } from './lut-steps.ts';
import { noiseSteps } from './noise.ts';
import type { VideoEncoder } from './video-encoder.ts';

export interface OutputFacts {
  /** Of the input. */
  readonly framerate: Rational;
  readonly startSeconds: number;
  /** What is shown before this time is black. */
  readonly blackSeconds: number;
  /** Whether the input's pictures are marked as such. */
  readonly isInterlaced: boolean;
  /** Whether their two halves are one picture, whatever a detector would say. */
  readonly isSegmented: boolean;
  /** What the input's pictures have. */
  readonly color: Color;
  readonly images: ImageSources;
  readonly luts: readonly ColorLut[];
  areas(output: OutputPicture | undefined): Areas;
  /** The timecode of the first picture that the graph makes for this output. */
  readonly timecode: string;
  /** The graph's time at which an image of this output begins. */
  secondsOf(image: InsertedImage): number;
}

/** One output's pictures, from those of an input to what its encoder takes. */
export function outputSteps(encoder: VideoEncoder, source: Picture, facts: OutputFacts): Step[] {
  const { settings, picture, framerate } = encoder;
  const { crop, position } = facts.areas(settings.picture);
  if (position !== undefined) requireInside(position, picture, 'The selection placement');
  const plan = planPicture(settings, cropped(source, crop), picture, position);
  // A film shows the nearest picture, a still the one of its moment.
  const rounding = settings.codec.kind === 'jpeg' ? ':round=up' : '';
  const scan = { framerate, sourceRate: facts.framerate };
  const pictures = pictureRate(settings, scan);
  const rate = `fps=fps=${pictures.num}/${pictures.den}:start_time=${facts.startSeconds}${rounding}`;
  const isJpeg = settings.codec.kind === 'jpeg';
  const matrix = isJpeg ? ':out_color_matrix=bt601' : matrixOption(facts.color, encoder.color);
  const color = `${matrix}:out_range=${encoder.colorRange}${CHROMA[settings.picture?.chromaPosition ?? 'followed']}`;
  const fields = settings.interlaced === undefined ? '' : ':interl=-1';
  const size =
    `scale=w=${plan.scale.width}:h=${plan.scale.height}:flags=${settings.scaler}${color}${fields}` +
    (plan.crop === undefined ? '' : `,crop=${plan.crop.width}:${plan.crop.height}`);
  const isWhole = facts.isSegmented && settings.deinterlace?.method !== 'inverse-telecine';
  const filters: Step[] = [
    ...(isWhole ? [] : deinterlaceSteps(settings.deinterlace, facts.isInterlaced)),
    ...blender(settings, pictures),
    rate,
  ];
  if (crop !== undefined) filters.push(`crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}`);
  filters.push(...noiseSteps(settings.picture?.noise));
  filters.push(size, ...bandwidthFilters(settings));
  const colors = { from: facts.color, to: encoder.color, settings: settings.picture?.color, height: source.height };
  filters.push(
    ...(lutSteps(facts.luts, { ...colors, framerate: pictures }, facts.images) ??
      conversionSteps(colors.from, colors.to, colors.settings, colors.height)),
  );
  filters.push(...correctionSteps(settings.picture?.color, encoder.color), `format=${encoder.pixelFormat}`);
  if (plan.pad !== undefined) filters.push(`pad=${plan.pad.width}:${plan.pad.height}:${plan.pad.x}:${plan.pad.y}`);
  filters.push(`setsar=${picture.pixelAspect.num}/${picture.pixelAspect.den}`);
  if (facts.blackSeconds > 0) filters.push(`drawbox=color=black:t=fill:enable='lt(t,${facts.blackSeconds})'`);
  filters.push(
    ...imageSteps(
      settings.picture?.images ?? [],
      {
        pixelFormat: encoder.pixelFormat,
        color: isJpeg ? { ...encoder.color, matrix: BT601, range: FULL_RANGE } : encoder.color,
        height: picture.height,
        framerate: pictures,
        secondsOf: (image) => facts.secondsOf(image),
      },
      facts.images,
    ),
  );
  filters.push(...fieldFilters(settings, scan, encoder.pixelFormat));
  const burnt = settings.picture?.burntTimecode;
  if (burnt !== undefined) filters.push(burnIn(burnt, facts.timecode, framerate));
  return filters;
}

/** H.273's number of the matrix. */
const BT601 = 6;
const CHROMA = { followed: '', center: ':out_chroma_loc=center', 'top-left': ':out_chroma_loc=topleft' } as const;

/** At another rate a picture between two is a mixture of them, or what moves has moved by a part of its way. */
function blender({ rateConversion }: VideoSettings, framerate: Rational): string[] {
  const rate = `fps=${framerate.num}/${framerate.den}`;
  if (rateConversion === 'motion') return [`minterpolate=${rate}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1`];
  return rateConversion === 'blend' ? [`framerate=${rate}`] : [];
}
