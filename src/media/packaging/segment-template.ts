/**
 * What a name modifier in a DASH or CMAF group may say beside the other identifiers: `$Number$`, `$Time$` and
 * `$RepresentationID$`, perhaps with a width to pad to (`$Number%05$`).
 */
const IDENTIFIER = /\$(Number|Time|RepresentationID)(?:%0(\d{1,2})d?)?\$/g;

const NUMBER_WIDTH = 9;

export function hasTemplateIdentifiers(text: string): boolean {
  return text.search(IDENTIFIER) >= 0;
}

/** The names of a rendition's objects, all in one folder. */
export interface SegmentNames {
  /** Without identifiers and extension. */
  readonly stem: string;
  /** The name of a segment, without extension. */
  segment(facts: { readonly number: number; readonly time: number }): string;
  /** As an MPD writes the names of all segments, without extension. */
  readonly template: string;
}

/**
 * @param expand puts in what the other identifiers stand for
 * @param id the representation's
 */
export function segmentNames(
  base: string,
  modifier: string,
  expand: (text: string) => string,
  id: string,
): SegmentNames {
  const whole = base + modifier;
  const stem = expand(whole.replace(IDENTIFIER, ''));
  if (!hasTemplateIdentifiers(modifier)) {
    return {
      stem,
      segment: ({ number }) => `${stem}_${String(number).padStart(NUMBER_WIDTH, '0')}`,
      template: `${stem.replaceAll('$', '$$$$')}_$Number%0${NUMBER_WIDTH}d$`,
    };
  }
  // Split, so that a `$` of one identifier is never taken for a part of its neighbour.
  const pieces: ((facts: { readonly number: number; readonly time: number }) => string)[] = [];
  let template = '';
  let at = 0;
  const literal = (text: string): void => {
    const expanded = expand(text);
    pieces.push(() => expanded);
    template += expanded.replaceAll('$', '$$$$');
  };
  for (const match of whole.matchAll(IDENTIFIER)) {
    const [identifier, name, width] = match;
    literal(whole.slice(at, match.index));
    at = match.index + identifier.length;
    const padded = (value: number | string): string => String(value).padStart(Number(width ?? 0), '0');
    if (name === 'Number') pieces.push(({ number }) => padded(number));
    else if (name === 'Time') pieces.push(({ time }) => padded(time));
    else pieces.push(() => id);
    template += name === 'RepresentationID' || width === undefined ? `$${name}$` : `$${name}%0${width}d$`;
  }
  literal(whole.slice(at));
  return { stem, template, segment: (facts) => pieces.map((piece) => piece(facts)).join('') };
}
