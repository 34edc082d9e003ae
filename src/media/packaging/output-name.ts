/** What identifiers in destinations and modifiers stand for. Source: "Format identifiers" in the user guide. */
export interface NameFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The first input's file name, without its extension. */
  readonly inputName: string;
  readonly extension?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  /** Bits a second. */
  readonly videoBitrate?: number;
  readonly audioBitrate?: number;
}

/** An identifier, perhaps with a width to pad to: `$h$`, `$h%04$`, or `$$`. */
const IDENTIFIER = /\$([a-z]*)(?:%0(\d{1,2}))?\$/g;

/** The identifiers that every place takes, and those for modifiers only. */
export const DESTINATION_IDENTIFIERS: ReadonlySet<string> = new Set(['', 'dt', 'd', 't', 'fn']);
export const MODIFIER_IDENTIFIERS: ReadonlySet<string> = new Set([
  ...DESTINATION_IDENTIFIERS,
  'rv',
  'ra',
  'rc',
  'w',
  'h',
  'f',
  'ex',
]);

/** The identifiers in a text that are not among `known`. */
export function unknownIdentifiers(text: string, known: ReadonlySet<string>): string[] {
  return [...text.matchAll(IDENTIFIER)].filter((match) => !known.has(match[1] ?? '')).map((match) => match[0]);
}

/** Replaces every identifier that the facts answer; others stay as they are. */
export function expandIdentifiers(text: string, facts: NameFacts): string {
  return text.replace(IDENTIFIER, (whole, name: string, pad: string | undefined) => {
    const value = valueOf(name, facts);
    return value === undefined ? whole : value.padStart(pad === undefined ? 0 : Number(pad), '0');
  });
}

function valueOf(name: string, facts: NameFacts): string | undefined {
  const stamp = new Date(facts.time).toISOString().replace(/[-:]/g, '').slice(0, 15);
  const kilobits = (bitrate: number | undefined): string | undefined =>
    bitrate === undefined ? undefined : String(Math.floor(bitrate / 1000));
  switch (name) {
    case '':
      return '$';
    case 'dt':
      return stamp;
    case 'd':
      return stamp.slice(0, 8);
    case 't':
      return stamp.slice(9);
    case 'fn':
      return facts.inputName;
    case 'ex':
      return facts.extension;
    case 'w':
      return facts.width?.toString();
    case 'h':
      return facts.height?.toString();
    case 'f':
      return facts.framesPerSecond === undefined ? undefined : String(Math.floor(facts.framesPerSecond));
    case 'rv':
      return kilobits(facts.videoBitrate);
    case 'ra':
      return kilobits(facts.audioBitrate);
    case 'rc':
      return facts.videoBitrate === undefined && facts.audioBitrate === undefined
        ? undefined
        : kilobits((facts.videoBitrate ?? 0) + (facts.audioBitrate ?? 0));
    default:
      return undefined;
  }
}
