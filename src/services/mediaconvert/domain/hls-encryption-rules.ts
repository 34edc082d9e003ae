import type { HlsEncryptionSettings, OutputGroup, StaticKeyProvider } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { allOf, carriedOut, missing, oneOf, type SettingRule, structure } from './setting-rule.ts';

/** Content encryption of an HLS group: with a key that the job names. Key servers (SPEKE) are refused. */
export const hlsEncryption: SettingRule<HlsEncryptionSettings> = allOf(
  checkEncryption,
  structure<HlsEncryptionSettings>({
    Type: oneOf('STATIC_KEY'),
    EncryptionMethod: carriedOut,
    ConstantInitializationVector: carriedOut,
    InitializationVectorInManifest: carriedOut,
    OfflineEncrypted: carriedOut,
    StaticKeyProvider: allOf(
      checkProvider,
      structure<StaticKeyProvider>({
        StaticKeyValue: carriedOut,
        Url: carriedOut,
        KeyFormat: carriedOut,
        KeyFormatVersions: carriedOut,
      }),
    ),
  }),
);

function checkEncryption(settings: HlsEncryptionSettings, pointer: string, problems: Problem[]): void {
  const { Type: type, EncryptionMethod: method, StaticKeyProvider: provider } = settings;
  if (type === undefined) problems.push(missing(pointer, 'type'));
  if (method === undefined) problems.push(missing(pointer, 'encryptionMethod'));
  if (type === 'STATIC_KEY' && provider === undefined) problems.push(missing(pointer, 'staticKeyProvider'));
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

/** SAMPLE_AES is defined for some codecs only: of those that are here, H.264 and AAC. */
export function checkSampleEncryption(group: OutputGroup, pointer: string, problems: Problem[]): void {
  if (group.OutputGroupSettings?.HlsGroupSettings?.Encryption?.EncryptionMethod !== 'SAMPLE_AES') return;
  const refuse = (at: string, codec: string): void => {
    problems.push({
      pointer: `${at}/codecSettings/codec`,
      text: `Should be ${codec} with encryptionMethod SAMPLE_AES`,
    });
  };
  group.Outputs?.forEach(({ VideoDescription: video, AudioDescriptions: audios }, index) => {
    const at = `${pointer}/outputs/${index}`;
    const codec = video?.CodecSettings?.Codec;
    if (codec !== undefined && codec !== 'H_264') refuse(`${at}/videoDescription`, 'H_264');
    audios?.forEach((audio, track) => {
      const sound = audio.CodecSettings?.Codec;
      if (sound !== undefined && sound !== 'AAC') refuse(`${at}/audioDescriptions/${track}`, 'AAC');
    });
  });
}
