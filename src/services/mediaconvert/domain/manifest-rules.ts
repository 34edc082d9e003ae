import type { HlsAdditionalManifest, Output, OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { checkSegmentModifier } from './cross-setting-rules.ts';
import { type SettingRule, carriedOut, missing, structure } from './setting-rule.ts';

/** Of every kind of group: they have the same members. */
export const additionalManifest: SettingRule<HlsAdditionalManifest> = structure<HlsAdditionalManifest>({
  ManifestNameModifier: checkSegmentModifier,
  SelectedOutputs: carriedOut,
});

/** The groups in which outputs have manifests of their own. */
const MANIFESTS_OF_OUTPUTS: ReadonlySet<string> = new Set(['hlsGroupSettings', 'cmafGroupSettings']);

/** Main manifests beside the first have names of their own, and outputs that there are. */
export function checkMainManifests(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const settings = group.OutputGroupSettings ?? {};
  const kinds = [
    ['hlsGroupSettings', settings.HlsGroupSettings],
    ['dashIsoGroupSettings', settings.DashIsoGroupSettings],
    ['cmafGroupSettings', settings.CmafGroupSettings],
    ['msSmoothGroupSettings', settings.MsSmoothGroupSettings],
  ] as const;
  const outputs = new Set(group.Outputs?.map(({ NameModifier }) => NameModifier ?? ''));
  for (const [member, own] of kinds) {
    const names = new Set<string>();
    own?.AdditionalManifests?.forEach(({ ManifestNameModifier: name, SelectedOutputs: selected }, index) => {
      const at = `${pointer}/outputGroupSettings/${member}/additionalManifests/${index}`;
      if (name === undefined) problems.push(missing(at, 'manifestNameModifier'));
      else if (names.has(name) || (outputs.has(name) && MANIFESTS_OF_OUTPUTS.has(member))) {
        const text = 'Should differ from the other manifests and from the nameModifier of each output';
        problems.push({ pointer: `${at}/manifestNameModifier`, text });
      }
      names.add(name ?? '');
      if (selected?.length === 0)
        problems.push({ pointer: `${at}/selectedOutputs`, text: 'Should have at least 1 items' });
      selected?.forEach((output, place) => {
        if (outputs.has(output)) return;
        const text = `No output of the group has the nameModifier "${output}"`;
        problems.push({ pointer: `${at}/selectedOutputs/${place}`, text });
      });
    });
  }
}

/** Sound without a container around it. */
export function checkPackedAudio(output: Output, isSampleAes: boolean, pointer: string, problems: Problem[]): void {
  const at = `${pointer}/outputSettings/hlsSettings/audioOnlyContainer`;
  if (isSampleAes) problems.push({ pointer: at, text: 'Should be M2TS with encryptionMethod SAMPLE_AES' });
  if (output.AudioDescriptions?.[0]?.CodecSettings?.Codec === 'MP2') {
    problems.push({ pointer: at, text: 'Should be M2TS with MP2' });
  }
  if ((output.AudioDescriptions?.length ?? 0) > 1) {
    problems.push({ pointer: `${pointer}/audioDescriptions/1`, text: 'Should be an output of its own, or in M2TS' });
  }
}

/** Manifests of pictures that can be decoded alone need pictures, and such as can be read alone. */
export function checkTrickPlay(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const encryption = group.OutputGroupSettings?.HlsGroupSettings?.Encryption;
  group.Outputs?.forEach((output, index) => {
    const hls = output.OutputSettings?.HlsSettings;
    const cmfc = output.ContainerSettings?.CmfcSettings;
    const isSound = output.VideoDescription === undefined;
    for (const [member, settings] of [
      ['outputSettings/hlsSettings', hls],
      ['containerSettings/cmfcSettings', cmfc],
    ] as const) {
      const at = `${pointer}/outputs/${index}/${member}`;
      const { IFrameOnlyManifest: manifest = 'EXCLUDE', DescriptiveVideoServiceFlag: flag } = settings ?? {};
      if (manifest !== 'EXCLUDE' && isSound) {
        problems.push({ pointer: `${at}/iFrameOnlyManifest`, text: 'Is only allowed in an output with a picture' });
      }
      if (manifest === 'INCLUDE' && encryption?.EncryptionMethod === 'AES128') {
        const text = 'INCLUDE is not supported with AES128, as parts of an encrypted segment cannot be read alone';
        problems.push({ pointer: `${at}/iFrameOnlyManifest`, text });
      }
      if (manifest === 'INCLUDE_AS_TS' && encryption !== undefined) {
        problems.push({ pointer: `${at}/iFrameOnlyManifest`, text: 'INCLUDE_AS_TS is not supported with encryption' });
      }
      if (flag === 'FLAG' && !isSound) {
        const text = 'Is only allowed in an output of sound';
        problems.push({ pointer: `${at}/descriptiveVideoServiceFlag`, text });
      }
    }
  });
}
