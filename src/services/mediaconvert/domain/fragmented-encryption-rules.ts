import type {
  CmafEncryptionSettings,
  DashIsoEncryptionSettings,
  MsSmoothEncryptionSettings,
} from '@aws-sdk/client-mediaconvert';
import { PLAYREADY } from '#media/cpix/system-ids.ts';
import type { Problem } from '../errors.ts';
import { checkKeySource, staticKeyProvider } from './hls-encryption-rules.ts';
import { allOf, carriedOut, missing, type SettingRule, structure } from './setting-rule.ts';
import { spekeProvider, spekeProviderOfCmaf } from './speke-rules.ts';

const MOST_OF_DASH = 2;

/** Common encryption of a CMAF group. */
export const cmafEncryption: SettingRule<CmafEncryptionSettings> = allOf(
  checkKeySource,
  checkVectors,
  structure<CmafEncryptionSettings>({
    Type: carriedOut,
    EncryptionMethod: carriedOut,
    ConstantInitializationVector: carriedOut,
    InitializationVectorInManifest: carriedOut,
    ClearLeadSegments: checkClearLead,
    StaticKeyProvider: staticKeyProvider,
    SpekeKeyProvider: spekeProviderOfCmaf,
  }),
);

/** AES_CTR must not use a vector twice: each sample has its own, which stands with it. */
function checkVectors(settings: CmafEncryptionSettings, pointer: string, problems: Problem[]): void {
  const { EncryptionMethod, ConstantInitializationVector: iv, InitializationVectorInManifest: listed } = settings;
  if (EncryptionMethod !== 'AES_CTR') return;
  const text = 'Needs encryptionMethod SAMPLE_AES: with AES_CTR each sample has a vector of its own';
  if (iv !== undefined) problems.push({ pointer: `${pointer}/constantInitializationVector`, text });
  if (listed === 'INCLUDE') problems.push({ pointer: `${pointer}/initializationVectorInManifest`, text });
}

function checkClearLead(segments: number, pointer: string, problems: Problem[]): void {
  if (!Number.isInteger(segments) || segments < 0) problems.push({ pointer, text: 'Should be a count of segments' });
}

/**
 * Common encryption of a DASH group. Headers of NAL units and slices, and all units that are no slices, are in the clear
 * anyway, so that every value of `playbackDeviceCompatibility` is kept.
 */
export const dashEncryption: SettingRule<DashIsoEncryptionSettings> = allOf(
  (settings, pointer, problems) => {
    if (settings.SpekeKeyProvider === undefined) problems.push(missing(pointer, 'spekeKeyProvider'));
  },
  structure<DashIsoEncryptionSettings>({
    PlaybackDeviceCompatibility: carriedOut,
    SpekeKeyProvider: spekeProvider(MOST_OF_DASH),
  }),
);

/** PlayReady in a Smooth Streaming group: its manifests name one system and one key. */
export const smoothEncryption: SettingRule<MsSmoothEncryptionSettings> = allOf(
  checkSmooth,
  structure<MsSmoothEncryptionSettings>({ SpekeKeyProvider: spekeProvider(1) }),
);

function checkSmooth(settings: MsSmoothEncryptionSettings, pointer: string, problems: Problem[]): void {
  const { SpekeKeyProvider: provider } = settings;
  if (provider === undefined) {
    problems.push(missing(pointer, 'spekeKeyProvider'));
    return;
  }
  const at = `${pointer}/spekeKeyProvider`;
  if (provider.SystemIds?.some((id) => id.toLowerCase() !== PLAYREADY) === true) {
    problems.push({ pointer: `${at}/systemIds`, text: `Should be PlayReady's, ${PLAYREADY}` });
  }
  const { SpekeVideoPreset: preset = 'SHARED' } = provider.EncryptionContractConfiguration ?? {};
  if (preset === 'SHARED') return;
  const text = 'Should be SHARED, as the manifests of Smooth Streaming name one key';
  problems.push({ pointer: `${at}/encryptionContractConfiguration/spekeVideoPreset`, text });
}
