import type { AutomatedAbrSettings } from '@aws-sdk/client-mediaconvert';
import type { AbrSettings, Size } from '#media/abr-ladder.ts';

/** How renditions are chosen; each kind of rule is read from all the rules that there are of it. */
export function planAbr(abr: AutomatedAbrSettings): AbrSettings {
  const rules = abr.Rules ?? [];
  const allowed = rules.flatMap(({ AllowedRenditions: sizes = [] }) => sizes);
  const required = allowed.filter(({ Required }) => Required === 'ENABLED');
  const forced = rules.flatMap(({ ForceIncludeRenditions: sizes = [] }) => sizes);
  const top = rules.find((rule) => rule.MinTopRenditionSize !== undefined)?.MinTopRenditionSize;
  const bottom = rules.find((rule) => rule.MinBottomRenditionSize !== undefined)?.MinBottomRenditionSize;
  return {
    maxRenditions: abr.MaxRenditions ?? 15,
    maxBitrate: abr.MaxAbrBitrate ?? 8_000_000,
    minBitrate: abr.MinAbrBitrate ?? 600_000,
    ...(abr.MaxQualityLevel !== undefined && { maxQualityLevel: abr.MaxQualityLevel }),
    ...(allowed.length > 0 && { allowed: allowed.map(sizeOf) }),
    forced: [...required, ...forced].map(sizeOf),
    ...(top !== undefined && { minTop: sizeOf(top) }),
    ...(bottom !== undefined && { minBottom: sizeOf(bottom) }),
  };
}

function sizeOf({
  Width: width = 0,
  Height: height = 0,
}: {
  Width?: number | undefined;
  Height?: number | undefined;
}): Size {
  return { width, height };
}
