import type { BurntTimecode, InputPicture, OutputPicture, Rectangle } from '#media/picture-settings.ts';
import type {
  Input,
  JobSettings,
  Rectangle as RectangleSettings,
  TimecodeBurnin,
  VideoDescription,
} from '@aws-sdk/client-mediaconvert';
import { planCleaning, planNoise } from './noise-plan.ts';
import { planColor, planInputColor } from './color-plan.ts';
import { planImages } from './image-plan.ts';

/** What is done to an input's pictures, for all outputs. */
export function planInputPicture(input: Input): InputPicture {
  const images = planImages(input.ImageInserter);
  const cleaning = planCleaning(input);
  const color = planInputColor(input.VideoSelector);
  const turn = TURNS[input.VideoSelector?.Rotate ?? 'DEGREE_0'];
  return {
    ...(input.VideoSelector?.Pid !== undefined && { pid: input.VideoSelector.Pid }),
    ...(input.InputScanType === 'PSF' && { isSegmented: true }),
    ...(turn !== undefined && { turn }),
    ...(input.VideoSelector?.AlphaBehavior === 'REMAP_TO_LUMA' && { isAlphaShown: true }),
    ...(input.VideoSelector?.PadVideo === 'BLACK' && { isPaddedBlack: true }),
    ...(cleaning !== undefined && { cleaning }),
    ...(color !== undefined && { color }),
    ...planAreas(input),
    ...(images.length > 0 && { images }),
  };
}

/** What is done to an output's pictures beside making them of the right size and rate. */
export function planOutputPicture(video: VideoDescription): OutputPicture {
  const images = planImages(video.VideoPreprocessors?.ImageInserter);
  const { TimecodeBurnin: burnin, NoiseReducer: reducer } = video.VideoPreprocessors ?? {};
  const noise = planNoise(reducer);
  const color = planColor(video.VideoPreprocessors?.ColorCorrector);
  const chromaPosition = CHROMA_POSITIONS[video.ChromaPositionMode ?? 'AUTO'];
  return {
    ...planAreas(video),
    ...(images.length > 0 && { images }),
    ...(noise !== undefined && { noise }),
    ...(color !== undefined && { color }),
    ...(chromaPosition !== undefined && { chromaPosition }),
    ...(burnin !== undefined && { burntTimecode: planBurnin(burnin) }),
    ...(video.TimecodeInsertion === 'PIC_TIMING_SEI' && { isTimecodeInserted: true }),
    ...(video.TimecodeTrack === 'ENABLED' && { hasTimecodeTrack: true }),
    isTimecodeDropped: video.DropFrameTimecode !== 'DISABLED',
  };
}

const CHROMA_POSITIONS: Readonly<Record<string, OutputPicture['chromaPosition']>> = {
  FORCE_CENTER: 'center',
  FORCE_TOP_LEFT: 'top-left',
};

const TURNS: Readonly<Record<string, InputPicture['turn']>> = {
  DEGREES_90: 90,
  DEGREES_180: 180,
  DEGREES_270: 270,
  AUTO: 'auto',
};

function planAreas({ Crop, Position }: Pick<Input, 'Crop' | 'Position'>): Pick<InputPicture, 'crop' | 'position'> {
  return {
    ...(Crop !== undefined && { crop: planRectangle(Crop) }),
    ...(Position !== undefined && { position: planRectangle(Position) }),
  };
}

function planRectangle({ X: x = 0, Y: y = 0, Width: width = 0, Height: height = 0 }: RectangleSettings): Rectangle {
  return { x, y, width, height };
}

function planBurnin({
  FontSize: fontSize = 16,
  Position = 'TOP_CENTER',
  Prefix: prefix = '',
}: TimecodeBurnin): BurntTimecode {
  const [row, column] = Position.toLowerCase().split('_') as [BurntTimecode['row'], BurntTimecode['column']];
  return { fontSize, row, column, prefix };
}

/** Where an input's pictures are counted from. */
export function inputTimecode({ TimecodeSource, TimecodeStart }: Input): string {
  return timecode(TimecodeSource, TimecodeStart);
}

/** Where the outputs' pictures are counted from. */
export function outputTimecode({ TimecodeConfig: config }: JobSettings): string {
  return timecode(config?.Source, config?.Start);
}

function timecode(source = 'EMBEDDED', start: string | undefined): string {
  if (source === 'EMBEDDED') return 'embedded';
  return source === 'ZEROBASED' ? 'zero' : (start ?? 'zero');
}
