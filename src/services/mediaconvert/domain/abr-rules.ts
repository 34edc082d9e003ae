import type {
  AllowedRenditionSize,
  AutomatedAbrRule,
  AutomatedAbrSettings,
  AutomatedEncodingSettings,
  ForceIncludeRenditionSize,
  MinBottomRenditionSize,
  MinTopRenditionSize,
  OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import type { Problem } from '../errors.ts';
import { carriedOut, each, missing, type SettingRule, structure } from './setting-rule.ts';

const size = { Width: carriedOut, Height: carriedOut } as const;

/** What of a group whose renditions the input decides is carried out. */
export const automatedEncoding: SettingRule<AutomatedEncodingSettings> = structure<AutomatedEncodingSettings>({
  AbrSettings: structure<AutomatedAbrSettings>({
    MaxAbrBitrate: carriedOut,
    MinAbrBitrate: carriedOut,
    MaxRenditions: carriedOut,
    MaxQualityLevel: carriedOut,
    Rules: each(
      structure<AutomatedAbrRule>({
        Type: carriedOut,
        AllowedRenditions: each(structure<AllowedRenditionSize>({ ...size, Required: carriedOut })),
        ForceIncludeRenditions: each(structure<ForceIncludeRenditionSize>(size)),
        MinTopRenditionSize: structure<MinTopRenditionSize>(size),
        MinBottomRenditionSize: structure<MinBottomRenditionSize>(size),
      }),
    ),
  }),
});

const MEMBERS = {
  ALLOWED_RENDITIONS: ['AllowedRenditions', 'allowedRenditions'],
  FORCE_INCLUDE_RENDITIONS: ['ForceIncludeRenditions', 'forceIncludeRenditions'],
  MIN_TOP_RENDITION_SIZE: ['MinTopRenditionSize', 'minTopRenditionSize'],
  MIN_BOTTOM_RENDITION_SIZE: ['MinBottomRenditionSize', 'minBottomRenditionSize'],
} as const;

export function checkAutomatedAbr(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const abr = group.AutomatedEncodingSettings?.AbrSettings;
  if (abr === undefined) checkPlain(group, pointer, problems);
  else checkAbr(group, abr, pointer, problems);
}

/** Without a ladder the most has to be said, as everywhere. */
function checkPlain(group: OutputGroup, pointer: string, problems: Problem[]): void {
  group.Outputs?.forEach(({ VideoDescription: video }, index) => {
    const { H264Settings: h264, H265Settings: h265 } = video?.CodecSettings ?? {};
    const settings = h264 ?? h265;
    const isOpen = settings?.RateControlMode === 'QVBR' && settings.QualityTuningLevel === 'MULTI_PASS_HQ';
    if (!isOpen || settings.MaxBitrate !== undefined) return;
    const member = h264 === undefined ? 'h265Settings' : 'h264Settings';
    const at = `${pointer}/outputs/${index}/videoDescription/codecSettings/${member}`;
    problems.push(missing(at, 'maxBitrate'));
  });
}

function checkAbr(group: OutputGroup, abr: AutomatedAbrSettings, pointer: string, problems: Problem[]): void {
  const at = `${pointer}/automatedEncodingSettings/abrSettings`;
  const {
    Type: type,
    HlsGroupSettings: hls,
    CmafGroupSettings: cmaf,
    DashIsoGroupSettings: dash,
  } = {
    ...group.OutputGroupSettings,
  };
  if (type === 'FILE_GROUP_SETTINGS') problems.push({ pointer: at, text: 'Is not allowed in a file group' });
  const encryption = hls?.Encryption ?? cmaf?.Encryption ?? dash?.Encryption;
  if (encryption?.SpekeKeyProvider !== undefined) {
    problems.push({ pointer: at, text: 'Is not supported with keys of a key provider, which depend on the sizes' });
  }
  const { MinAbrBitrate: least = 600_000, MaxAbrBitrate: most = 8_000_000 } = abr;
  if (least > most) problems.push({ pointer: `${at}/minAbrBitrate`, text: `Should be less than or equal to ${most}` });
  checkOutputs(group, pointer, problems);
  abr.Rules?.forEach((rule, index) => checkRule(rule, `${at}/rules/${index}`, problems));
}

/** One picture describes all renditions. */
function checkOutputs(group: OutputGroup, pointer: string, problems: Problem[]): void {
  const pictures = (group.Outputs ?? []).flatMap((output, index) =>
    output.VideoDescription === undefined ? [] : [{ video: output.VideoDescription, index }],
  );
  if (pictures.length !== 1) {
    problems.push({ pointer: `${pointer}/outputs`, text: 'Should have one output with a picture, with automated ABR' });
  }
  for (const { video, index } of pictures) {
    const at = `${pointer}/outputs/${index}/videoDescription`;
    const { H264Settings: h264, H265Settings: h265 } = video.CodecSettings ?? {};
    const settings = h264 ?? h265;
    const member = h264 === undefined ? 'h265Settings' : 'h264Settings';
    if (settings?.RateControlMode !== 'QVBR' || settings.QualityTuningLevel !== 'MULTI_PASS_HQ') {
      const text = 'Should be H_264 or H_265 with QVBR and MULTI_PASS_HQ, with automated ABR';
      problems.push({ pointer: `${at}/codecSettings`, text });
    }
    for (const [name, value] of [
      ['width', video.Width],
      ['height', video.Height],
      [`codecSettings/${member}/maxBitrate`, settings?.MaxBitrate],
      [`codecSettings/${member}/qvbrSettings`, settings?.QvbrSettings],
    ] as const) {
      if (value !== undefined) problems.push({ pointer: `${at}/${name}`, text: 'Is not allowed with automated ABR' });
    }
  }
}

function checkRule(rule: AutomatedAbrRule, pointer: string, problems: Problem[]): void {
  if (rule.Type === undefined) problems.push(missing(pointer, 'type'));
  for (const [type, [member, wire]] of Object.entries(MEMBERS)) {
    const given = rule[member];
    if (rule.Type === type && given === undefined) problems.push(missing(pointer, wire));
    if (rule.Type !== undefined && rule.Type !== type && given !== undefined) {
      problems.push({ pointer: `${pointer}/${wire}`, text: `Needs type ${type}` });
    }
    for (const { Width: width, Height: height } of given === undefined ? [] : [given].flat()) {
      if (width !== undefined && height !== undefined && width % 2 === 0 && height % 2 === 0) continue;
      problems.push({ pointer: `${pointer}/${wire}`, text: 'Should have an even width and an even height' });
    }
  }
}
