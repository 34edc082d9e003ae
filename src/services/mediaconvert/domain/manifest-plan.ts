import type { AdditionalManifest } from '#media/output-group.ts';

interface ManifestSettings {
  readonly AdditionalManifests?:
    | readonly { readonly ManifestNameModifier?: string | undefined; readonly SelectedOutputs?: string[] | undefined }[]
    | undefined;
}

export function additionalManifests({ AdditionalManifests: manifests = [] }: ManifestSettings): {
  additionalManifests?: readonly AdditionalManifest[];
} {
  if (manifests.length === 0) return {};
  return {
    additionalManifests: manifests.map(({ ManifestNameModifier: nameModifier = '', SelectedOutputs: outputs }) => ({
      nameModifier,
      ...(outputs !== undefined && { selectedOutputs: outputs }),
    })),
  };
}
