/** The colours that caption formats know by name, as `#rrggbb`. */
const NAMED: Readonly<Record<string, string>> = {
  black: '#000000',
  silver: '#c0c0c0',
  gray: '#808080',
  grey: '#808080',
  white: '#ffffff',
  maroon: '#800000',
  red: '#ff0000',
  purple: '#800080',
  fuchsia: '#ff00ff',
  magenta: '#ff00ff',
  green: '#008000',
  lime: '#00ff00',
  olive: '#808000',
  yellow: '#ffff00',
  navy: '#000080',
  blue: '#0000ff',
  teal: '#008080',
  aqua: '#00ffff',
  cyan: '#00ffff',
  orange: '#ffa500',
};

/** Names, `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)` and `rgba(…)` → `#rrggbb`; `undefined` for anything else. */
export function parseColor(text: string): string | undefined {
  const value = text.trim().toLowerCase();
  const named = Object.hasOwn(NAMED, value) ? NAMED[value] : undefined;
  if (named !== undefined) return named;
  const short = /^#?([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(value);
  if (short !== null)
    return `#${short
      .slice(1)
      .flatMap((digit) => [digit, digit])
      .join('')}`;
  const long = /^#?([0-9a-f]{6})(?:[0-9a-f]{2})?$/.exec(value);
  if (long !== null) return `#${long[1]}`;
  const parts = /^rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*[\d.]{1,8}\s*)?\)$/.exec(value);
  if (parts === null) return undefined;
  return `#${parts
    .slice(1, 4)
    .map((part) => Math.min(255, Number(part)).toString(16).padStart(2, '0'))
    .join('')}`;
}

/** The name that WebVTT gives a colour as a class; `undefined` where it has none. */
export function webVttColor(color: string): string | undefined {
  return WEBVTT_COLORS.find((name) => WEBVTT_VALUES[name] === color);
}

/** Source: WebVTT, section 5 ("Default classes for WebVTT Caption or Subtitle Cue Components"). */
const WEBVTT_COLORS = ['white', 'lime', 'cyan', 'red', 'yellow', 'magenta', 'blue', 'black'] as const;
const WEBVTT_VALUES: Readonly<Record<string, string>> = Object.fromEntries(
  WEBVTT_COLORS.map((name) => [name, NAMED[name] ?? '']),
);

export function webVttClassColor(name: string): string | undefined {
  return Object.hasOwn(WEBVTT_VALUES, name) ? WEBVTT_VALUES[name] : undefined;
}
