import type { HlsEncryptionSettings, OutputGroup, StaticKeyProvider } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, type SettingRule, structure } from './setting-rule.ts';
import { spekeProvider } from './speke-rules.ts';

const MOST_SYSTEMS = 3;

/** A key that the job names itself. */
export const staticKeyProvider: SettingRule<StaticKeyProvider> = allOf(
  checkProvider,
  structure<StaticKeyProvider>({
    StaticKeyValue: carriedOut,
    Url: carriedOut,
    KeyFormat: carriedOut,
    KeyFormatVersions: carriedOut,
  }),
);

/** Content encryption of an HLS group: with a key that the job names, or with those of a key provider. */
export const hlsEncryption: SettingRule<HlsEncryptionSettings> = allOf(
  checkKeySource,
  checkWholeSegments,
  structure<HlsEncryptionSettings>({
    Type: carriedOut,
    EncryptionMethod: carriedOut,
    ConstantInitializationVector: carriedOut,
    InitializationVectorInManifest: carriedOut,
    OfflineEncrypted: carriedOut,
    StaticKeyProvider: staticKeyProvider,
    SpekeKeyProvider: spekeProvider(MOST_SYSTEMS),
  }),
);

interface KeySource {
  readonly Type?: string | undefined;
  readonly EncryptionMethod?: string | undefined;
  readonly StaticKeyProvider?: object | undefined;
  readonly SpekeKeyProvider?: object | undefined;
}

/** Where keys come from is said once. */
export function checkKeySource(settings: KeySource, pointer: string, problems: Problem[]): void {
  const { Type: type, EncryptionMethod: method, StaticKeyProvider: fixed, SpekeKeyProvider: speke } = settings;
  if (type === undefined) problems.push(missing(pointer, 'type'));
  if (method === undefined) problems.push(missing(pointer, 'encryptionMethod'));
  if (type === 'STATIC_KEY' && fixed === undefined) problems.push(missing(pointer, 'staticKeyProvider'));
  if (type === 'SPEKE' && speke === undefined) problems.push(missing(pointer, 'spekeKeyProvider'));
  if (type !== 'SPEKE' && speke !== undefined) {
    problems.push({ pointer: `${pointer}/spekeKeyProvider`, text: 'Needs type SPEKE' });
  }
  if (type !== 'STATIC_KEY' && fixed !== undefined) {
    problems.push({ pointer: `${pointer}/staticKeyProvider`, text: 'Needs type STATIC_KEY' });
  }
}

/** SPEKE 2.0 knows the schemes of common encryption alone. */
function checkWholeSegments(settings: HlsEncryptionSettings, pointer: string, problems: Problem[]): void {
  const contract = settings.SpekeKeyProvider?.EncryptionContractConfiguration;
  if (settings.EncryptionMethod !== 'AES128' || contract === undefined) return;
  const at = `${pointer}/spekeKeyProvider/encryptionContractConfiguration`;
  problems.push({ pointer: at, text: 'AES128 needs SPEKE v1.0: leave this blank' });
}

function checkProvider(provider: StaticKeyProvider, pointer: string, problems: Problem[]): void {
  const { StaticKeyValue: key, Url: url } = provider;
  if (key === undefined) problems.push(missing(pointer, 'staticKeyValue'));
  else if (!/^[0-9a-f]{32}$/i.test(key)) {
    // The service's model takes other letters, too; the message must not repeat the value.
    problems.push({ pointer: `${pointer}/staticKeyValue`, text: 'Should be 32 hexadecimal digits' });
  }
  if (url === undefined) problems.push(missing(pointer, 'url'));
  else if (url === '' || /["\r\n]/.test(url)) {
    const text = 'Should be an address without quotes and line ends, as it stands quoted in the manifest';
    problems.push({ pointer: `${pointer}/url`, text });
  }
}

/** Which codecs can be encrypted: SAMPLE_AES in transport streams is for H.264 and AAC, common encryption for more. */
export function checkEncryptedCodecs(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const {
    HlsGroupSettings: hls,
    CmafGroupSettings: cmaf,
    DashIsoGroupSettings: dash,
  } = group.OutputGroupSettings ?? {};
  if (hls?.Encryption !== undefined) checkMuxed(group, hls.Encryption, pointer, problems);
  const isSamples = hls?.Encryption?.EncryptionMethod === 'SAMPLE_AES';
  const isCommon = (cmaf?.Encryption ?? dash?.Encryption) !== undefined;
  if (!isSamples && !isCommon) return;
  const pictures = isSamples ? ['H_264'] : ['H_264', 'H_265', 'PASSTHROUGH'];
  const by = isSamples ? 'encryptionMethod SAMPLE_AES' : 'content encryption';
  const refuse = (at: string, codecs: readonly string[]): void => {
    problems.push({ pointer: `${at}/codecSettings/codec`, text: `Should be ${codecs.join(' or ')} with ${by}` });
  };
  group.Outputs?.forEach(({ VideoDescription: video, AudioDescriptions: audios }, index) => {
    const at = `${pointer}/outputs/${index}`;
    const codec = video?.CodecSettings?.Codec;
    if (codec !== undefined && !pictures.includes(codec)) refuse(`${at}/videoDescription`, pictures);
    if (!isSamples) return;
    audios?.forEach((audio, track) => {
      const sound = audio.CodecSettings?.Codec;
      if (sound !== undefined && sound !== 'AAC') refuse(`${at}/audioDescriptions/${track}`, ['AAC']);
    });
  });
}

/** A transport stream has one key for all that is in it. */
function checkMuxed(group: OutputGroup, settings: HlsEncryptionSettings, pointer: string, problems: Problem[]): void {
  const contract = settings.SpekeKeyProvider?.EncryptionContractConfiguration;
  if (contract === undefined || contract.SpekeVideoPreset === 'SHARED') return;
  group.Outputs?.forEach(({ VideoDescription: video, AudioDescriptions: audios }, index) => {
    if (video === undefined || (audios ?? []).length === 0) return;
    const text = 'An output with picture and sound needs the SPEKE presets SHARED, as it has one key';
    problems.push({ pointer: `${pointer}/outputs/${index}/audioDescriptions`, text });
  });
}
