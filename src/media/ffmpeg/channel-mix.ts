import type { Remix } from '../audio-settings.ts';

/** The layouts that FFmpeg takes for the usual one of a number of channels; others have an order but no places. */
const LAYOUTS: Readonly<Record<number, string>> = {
  1: 'mono',
  2: 'stereo',
  3: '2.1',
  4: '4.0',
  5: '5.0',
  6: '5.1',
  7: '6.1',
  8: '7.1',
};

/** The name by which FFmpeg's filters know the usual order of so many channels. */
export function layoutName(channels: number): string {
  return LAYOUTS[channels] ?? `${channels} channels`;
}

/**
 * The filter that mixes channels by a matrix; what the matrix takes from channels that the input does not have is
 * silence.
 */
export function panFilter(gains: Remix['gains'], inputChannels: number): string {
  const outputs = gains.map((row, output) => {
    const terms = row.slice(0, inputChannels).flatMap((gain, input) => (gain === 0 ? [] : [term(gain, input)]));
    return `c${output}=${terms.length === 0 ? '0*c0' : terms.join('+')}`;
  });
  return ['pan=' + layoutName(gains.length), ...outputs].join('|');
}

function term(gain: number, input: number): string {
  return gain === 1 ? `c${input}` : `${Number(gain.toFixed(6))}*c${input}`;
}

/** Each channel as it is; more channels than there are stay silent, and the rest of too many is left out. */
function identity(outputs: number): Remix['gains'] {
  return Array.from({ length: outputs }, (_, output) =>
    Array.from({ length: output + 1 }, (_unused, input) => (input === output ? 1 : 0)),
  );
}

/** One matrix that does what two of them do one after the other. */
export function composed(first: Remix | undefined, second: Remix | undefined): Remix | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const inputs = Math.max(0, ...first.gains.map((row) => row.length));
  return {
    gains: second.gains.map((row) =>
      Array.from({ length: inputs }, (_, input) =>
        row.reduce((sum, gain, middle) => sum + gain * (first.gains[middle]?.[input] ?? 0), 0),
      ),
    ),
  };
}

/**
 * The filters, each followed by a comma, that turn input channels into output ones as far as FFmpeg's own conversion
 * cannot: by the matrix where there is one. The conversion knows what to do with places such as "front left", so it
 * has the rest.
 */
export function mixFilters(remix: Remix | undefined, inputChannels: number, outputChannels: number): string {
  const mixed = remix === undefined ? '' : `${panFilter(remix.gains, inputChannels)},`;
  const channels = remix?.gains.length ?? inputChannels;
  const arePlaced = LAYOUTS[channels] !== undefined && LAYOUTS[outputChannels] !== undefined;
  if (channels === outputChannels || arePlaced) return mixed;
  return `${mixed}${panFilter(identity(outputChannels), channels)},`;
}
