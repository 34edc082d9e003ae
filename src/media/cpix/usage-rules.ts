import type { XmlElement } from '#kernel/xml-document.ts';
import { CpixError } from './cpix-error.ts';
import type { AudioFilter, UsageRule, VideoFilter } from './document.ts';
import { attributeOf, listOf, uuidOf } from './element-reader.ts';

const MAX_RULES = 64;
const MALFORMED = 'Malformed encryption contract';

/** Reads the "encryption contract" of v2: which tracks each key is for. @throws CpixError in SPEKE's words */
export function readRules(root: XmlElement, kids: ReadonlySet<string>): readonly UsageRule[] {
  const rules = listOf(root, 'ContentKeyUsageRuleList', 'ContentKeyUsageRule', MAX_RULES).map(readRule);
  if (rules.length === 0) throw new CpixError('Missing CPIX encryption contract');
  const types = new Set<string>();
  for (const rule of rules) {
    if (!kids.has(rule.kid) || types.has(rule.intendedTrackType) || !isWellFormed(rule)) {
      throw new CpixError(MALFORMED);
    }
    types.add(rule.intendedTrackType);
  }
  return rules;
}

function readRule(element: XmlElement): UsageRule {
  const videoFilters: VideoFilter[] = [];
  const audioFilters: AudioFilter[] = [];
  for (const child of element.children) {
    if (child.name === 'VideoFilter') videoFilters.push(filterOf(child, VIDEO_BOUNDS, ['hdr']));
    else if (child.name === 'AudioFilter') audioFilters.push(filterOf(child, AUDIO_BOUNDS, []));
    else if (child.name === 'KeyPeriodFilter') throw new CpixError('Key rotation is not supported');
    else throw new CpixError(MALFORMED);
  }
  if (videoFilters.length + audioFilters.length === 0) throw new CpixError('Missing CPIX encryption contract');
  return {
    kid: uuidOf(element, 'kid'),
    intendedTrackType: attributeOf(element, 'intendedTrackType'),
    videoFilters,
    audioFilters,
  };
}

const VIDEO_BOUNDS = ['minPixels', 'maxPixels', 'minFps', 'maxFps'] as const;
const AUDIO_BOUNDS = ['minChannels', 'maxChannels'] as const;

function filterOf(element: XmlElement, bounds: readonly string[], flags: readonly string[]) {
  const filter: Record<string, number | boolean> = {};
  for (const [name, value] of element.attributes) {
    const isNumber = bounds.includes(name) && /^\d{1,10}$/.test(value);
    const isFlag = flags.includes(name) && /^(true|false)$/.test(value);
    if (!isNumber && !isFlag) throw new CpixError(MALFORMED);
    filter[name] = isNumber ? Number(value) : value === 'true';
  }
  return filter;
}

/** `ALL` has one filter of each kind, which leave out nothing; other rules have a filter for each of their words. */
function isWellFormed({ intendedTrackType, videoFilters, audioFilters }: UsageRule): boolean {
  const filters = [...videoFilters, ...audioFilters];
  if (intendedTrackType !== 'ALL') return filters.length === intendedTrackType.split('+').length;
  const isBare = filters.every((filter) => Object.keys(filter).length === 0);
  return videoFilters.length === 1 && audioFilters.length === 1 && isBare;
}
