import type { Output, OutputGroup } from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { missing } from './setting-rule.ts';

/** The rules of how long segments and sounds are. */
export function checkLengths(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const outputs = group.Outputs ?? [];
  const {
    HlsGroupSettings: hls,
    DashIsoGroupSettings: dash,
    CmafGroupSettings: cmaf,
  } = group.OutputGroupSettings ?? {};
  for (const [member, settings, usual] of [
    ['hlsGroupSettings', hls, 10],
    ['dashIsoGroupSettings', dash, 30],
    ['cmafGroupSettings', cmaf, 10],
  ] as const) {
    const at = `${pointer}/outputGroupSettings/${member}`;
    if (settings?.SegmentLengthControl === 'MATCH')
      checkMatch(outputs, pointer, `${at}/segmentLengthControl`, problems);
    const { MinFinalSegmentLength: least = 0, SegmentLength: length = usual } = settings ?? {};
    if (least !== 0 && (least < 1 || least >= length)) {
      const text = `Should be 0, or at least 1 and less than ${length}`;
      problems.push({ pointer: `${at}/minFinalSegmentLength`, text });
    }
    if (least > 0) checkFinal(group, `${at}/minFinalSegmentLength`, problems);
  }
  if (outputs.some(({ VideoDescription: video }) => video !== undefined)) return;
  outputs.forEach(({ ContainerSettings: container = {} }, index) => {
    for (const [member, settings] of Object.entries(container)) {
      const isMatched = typeof settings === 'object' && 'AudioDuration' in settings;
      if (!isMatched || settings.AudioDuration !== 'MATCH_VIDEO_DURATION') continue;
      const name = `${member.charAt(0).toLowerCase()}${member.slice(1)}`;
      const at = `${pointer}/outputs/${index}/containerSettings/${name}/audioDuration`;
      problems.push({ pointer: at, text: 'MATCH_VIDEO_DURATION needs an output with a picture in the group' });
    }
  });
}

/** What is put to the segment before it is known in the end only, when some things were told already. */
function checkFinal(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const encryption = group.OutputGroupSettings?.HlsGroupSettings?.Encryption;
  if (encryption?.EncryptionMethod === 'SAMPLE_AES') {
    problems.push({ pointer, text: 'Is not supported with encryptionMethod SAMPLE_AES' });
  }
  const isListed = group.Outputs?.some(
    ({ OutputSettings: settings }) => settings?.HlsSettings?.IFrameOnlyManifest === 'INCLUDE',
  );
  if (isListed === true) problems.push({ pointer, text: 'Is not supported with iFrameOnlyManifest INCLUDE' });
}

/** MATCH: segments of whole pictures and whole frames of AAC at 48 kHz. */
function checkMatch(outputs: readonly Output[], pointer: string, at: string, problems: Problem[]): void {
  const sounds = outputs.flatMap(({ AudioDescriptions: audios = [] }, index) =>
    audios.map((audio, track) => ({
      audio,
      at: `${pointer}/outputs/${index}/audioDescriptions/${track}/codecSettings`,
    })),
  );
  const pictures = outputs.flatMap(({ VideoDescription: video }, index) =>
    video === undefined ? [] : [{ video, at: `${pointer}/outputs/${index}/videoDescription/codecSettings` }],
  );
  if (sounds.length === 0 || pictures.length === 0)
    problems.push({ pointer: at, text: 'MATCH needs a picture and a sound' });
  for (const { audio, at: place } of sounds) {
    const { Codec: codec, AacSettings: aac } = audio.CodecSettings ?? {};
    if (codec !== 'AAC')
      problems.push({ pointer: `${place}/codec`, text: 'Should be AAC with segmentLengthControl MATCH' });
    else if (aac?.SampleRate !== 48_000) {
      const text = 'Should be 48000 with segmentLengthControl MATCH';
      problems.push({ pointer: `${place}/aacSettings/sampleRate`, text });
    } else if (aac.CodecProfile === 'HEV1' || aac.CodecProfile === 'HEV2') {
      problems.push({
        pointer: `${place}/aacSettings/codecProfile`,
        text: 'Should be LC with segmentLengthControl MATCH',
      });
    }
  }
  for (const { video, at: place } of pictures) {
    const { H264Settings: h264, H265Settings: h265, Av1Settings: av1 } = video.CodecSettings ?? {};
    const control = (h264 ?? h265 ?? av1)?.FramerateControl;
    if (control !== 'SPECIFIED') problems.push(missing(place, 'framerateControl SPECIFIED'));
  }
}
