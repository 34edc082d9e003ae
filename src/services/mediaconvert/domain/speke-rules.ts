import type {
  EncryptionContractConfiguration,
  SpekeKeyProvider,
  SpekeKeyProviderCmaf,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, type SettingRule, structure } from './setting-rule.ts';

/** Settings of key providers that follow SPEKE. */

const contract: SettingRule<EncryptionContractConfiguration> = allOf(
  checkContract,
  structure<EncryptionContractConfiguration>({ SpekeVideoPreset: carriedOut, SpekeAudioPreset: carriedOut }),
);

/** A certificate's private key lies with ACM, which Coffer does not have: an answer encrypted for it could not be read. */
const certificate: SettingRule<string> = (_arn, pointer, problems) => {
  problems.push({ pointer, text: 'Encrypted content keys are not supported; they come over TLS' });
};

const common = {
  Url: checkUrl,
  ResourceId: checkResource,
  CertificateArn: certificate,
  EncryptionContractConfiguration: contract,
};

/** @param most how many DRM systems the group can tell of */
export function spekeProvider(most: number): SettingRule<SpekeKeyProvider> {
  return allOf<SpekeKeyProvider>(
    checkAddressed,
    ({ SystemIds: systems }, pointer, problems) => checkSystems(systems ?? [], most, `${pointer}/systemIds`, problems),
    structure<SpekeKeyProvider>({ ...common, SystemIds: carriedOut }),
  );
}

const MOST_OF_CMAF = 3;

export const spekeProviderOfCmaf: SettingRule<SpekeKeyProviderCmaf> = allOf<SpekeKeyProviderCmaf>(
  checkAddressed,
  ({ HlsSignaledSystemIds: hls, DashSignaledSystemIds: dash }, pointer, problems) => {
    if (hls === undefined && dash === undefined) problems.push(missing(pointer, 'dashSignaledSystemIds'));
    if (hls !== undefined) checkSystems(hls, MOST_OF_CMAF, `${pointer}/hlsSignaledSystemIds`, problems);
    if (dash !== undefined) checkSystems(dash, MOST_OF_CMAF, `${pointer}/dashSignaledSystemIds`, problems);
  },
  structure<SpekeKeyProviderCmaf>({ ...common, HlsSignaledSystemIds: carriedOut, DashSignaledSystemIds: carriedOut }),
);

function checkAddressed(
  { Url: url, ResourceId: resource }: Pick<SpekeKeyProvider, 'Url' | 'ResourceId'>,
  pointer: string,
  problems: Problem[],
): void {
  if (url === undefined) problems.push(missing(pointer, 'url'));
  if (resource === undefined) problems.push(missing(pointer, 'resourceId'));
}

/** The service's model refuses other schemes and names of users already. */
function checkUrl(url: string, pointer: string, problems: Problem[]): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isFit = parsed?.protocol === 'https:' && parsed.username === '' && parsed.password === '' && parsed.hash === '';
  if (!isFit) problems.push({ pointer, text: 'Should be an https address without a user' });
}

function checkResource(resource: string, pointer: string, problems: Problem[]): void {
  if (resource === '' || resource.length > 256 || /\p{Cc}/u.test(resource)) {
    problems.push({ pointer, text: 'Should be a name of 1 to 256 characters' });
  }
}

function checkSystems(systems: readonly string[], most: number, pointer: string, problems: Problem[]): void {
  if (systems.length === 0) problems.push({ pointer, text: 'Should have at least 1 items' });
  if (systems.length > most) problems.push({ pointer, text: `Should have at most ${most} items` });
  if (new Set(systems.map((id) => id.toLowerCase())).size < systems.length) {
    problems.push({ pointer, text: 'Should not have the same system twice' });
  }
}

function checkContract(contracted: EncryptionContractConfiguration, pointer: string, problems: Problem[]): void {
  const { SpekeVideoPreset: video, SpekeAudioPreset: audio } = contracted;
  if (video === undefined) problems.push(missing(pointer, 'spekeVideoPreset'));
  if (audio === undefined) problems.push(missing(pointer, 'spekeAudioPreset'));
  if (video === undefined || audio === undefined) return;
  const at = `${pointer}/spekeAudioPreset`;
  if ((video === 'SHARED') !== (audio === 'SHARED')) problems.push({ pointer: at, text: 'SHARED has to be on both' });
  else if (video === 'UNENCRYPTED' && audio === 'UNENCRYPTED') {
    problems.push({ pointer: at, text: 'Something has to be encrypted' });
  }
}
