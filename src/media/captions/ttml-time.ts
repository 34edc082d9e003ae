import type { XmlNode } from './xml-tree.ts';

/** What the root element says about how times are written (TTML, section 8). */
export interface TtmlClock {
  readonly framesPerSecond: number;
  readonly ticksPerSecond: number;
}

export function clockOf(root: XmlNode): TtmlClock {
  const rate = numberOf(root.attributes.get('frameRate')) ?? 30;
  const [num = 1, den = 1] = (root.attributes.get('frameRateMultiplier') ?? '1 1').split(/[\s:]+/).map(Number);
  const multiplier = num > 0 && den > 0 ? num / den : 1;
  const framesPerSecond = rate * multiplier;
  const hasFrames = root.attributes.has('frameRate');
  return {
    framesPerSecond,
    ticksPerSecond: numberOf(root.attributes.get('tickRate')) ?? (hasFrames ? framesPerSecond : 1),
  };
}

function numberOf(text: string | undefined): number | undefined {
  const value = /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
  return value > 0 ? value : undefined;
}

const CLOCK = /^(\d{1,6}):(\d{2}):(\d{2})(?:\.(\d{1,9})|[:;](\d{2,3})(?:\.\d{1,3})?)?$/;
const OFFSET = /^(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t)$/;

/** A time expression → milliseconds; `undefined` where it is none. */
export function parseTtmlTime(text: string | undefined, clock: TtmlClock): number | undefined {
  const value = text?.trim() ?? '';
  const match = CLOCK.exec(value);
  if (match !== null) {
    const [, hours, minutes, seconds, fraction, frames] = match;
    const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    const part = fraction === undefined ? Number(frames ?? 0) / clock.framesPerSecond : Number(`0.${fraction}`);
    return (whole + part) * 1000;
  }
  const offset = OFFSET.exec(value);
  if (offset === null) return undefined;
  const units: Readonly<Record<string, number>> = {
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
    f: 1000 / clock.framesPerSecond,
    t: 1000 / clock.ticksPerSecond,
  };
  return Number(offset[1]) * (units[offset[2] ?? ''] ?? 0);
}
