import type { CmafGroupSettings, HlsGroupSettings } from '@aws-sdk/client-mediaconvert';
import type { HlsManifestSettings } from '#media/output-group.ts';

export function hlsManifestSettings(
  settings: Omit<HlsGroupSettings, 'Encryption'> | Omit<CmafGroupSettings, 'Encryption'>,
): HlsManifestSettings {
  return {
    durationFormat: settings.ManifestDurationFormat === 'INTEGER' ? 'integer' : 'floating-point',
    targetDuration: settings.TargetDurationCompatibilityMode === 'SPEC_COMPLIANT' ? 'nearest' : 'up',
    codecSpecification: settings.CodecSpecification ?? 'RFC_4281',
    isResolutionShown: settings.StreamInfResolution !== 'EXCLUDE',
    isClientCacheAllowed: settings.ClientCache !== 'DISABLED',
    isManifestGzipped: settings.ManifestCompression === 'GZIP',
    baseUrl: settings.BaseUrl ?? '',
  };
}
