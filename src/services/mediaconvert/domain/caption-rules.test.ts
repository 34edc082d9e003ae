import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  BurninDestinationSettings,
  CaptionDescription,
  CaptionSourceSettings,
  JobSettings,
  Output,
  OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { cmafGroup, dashGroup, hlsLadder, jobOf, mp4Group } from '#test/harness/media-job.ts';
import type { Problem } from '../errors.ts';
import { planCaptions, planCaptionSelectors } from './caption-plan.ts';
import { jobSettingsRule } from './job-settings-rules.ts';

const ROLE = 'arn:aws:iam::123456789012:role/Media';
const SRT: CaptionSourceSettings = { SourceType: 'SRT', FileSourceSettings: { SourceFile: 's3://in/a.srt' } };

function problemsOf(settings: JobSettings): string[] {
  const problems: Problem[] = [];
  jobSettingsRule(settings, '', problems);
  return problems.map(({ pointer, text }) => `${pointer}: ${text}`);
}

function jobWith(group: OutputGroup, source: CaptionSourceSettings = SRT): JobSettings {
  const settings = jobOf(ROLE, 's3://in/a.mp4', [group]).Settings;
  const CaptionSelectors = { text: { SourceSettings: source } };
  return { ...settings, Inputs: settings?.Inputs?.map((input) => ({ ...input, CaptionSelectors })) ?? [] };
}

function caption(
  DestinationType: 'SRT' | 'WEBVTT' | 'IMSC' | 'BURN_IN' | 'EMBEDDED' | 'TELETEXT',
  extra: object = {},
): CaptionDescription {
  return { CaptionSelectorName: 'text', DestinationSettings: { DestinationType, ...extra } };
}

const film = mp4Group({ destination: 's3://out/film' });

function beside(group: OutputGroup, output: Output): OutputGroup {
  return { ...group, Outputs: [...(group.Outputs ?? []), output] };
}

function inFilm(...CaptionDescriptions: CaptionDescription[]): OutputGroup {
  return { ...film, Outputs: film.Outputs?.map((output) => ({ ...output, CaptionDescriptions })) ?? [] };
}

function text(
  Container: 'RAW' | 'MP4' | 'M3U8' | 'MPD' | 'CMFC',
  ...CaptionDescriptions: CaptionDescription[]
): Output {
  return { NameModifier: '_text', ContainerSettings: { Container }, CaptionDescriptions };
}

describe('captions that are carried out', () => {
  const hls = hlsLadder({ destination: 's3://out/hls' });
  const cases: readonly (readonly [string, OutputGroup])[] = [
    ['a file beside the film', beside(film, text('RAW', caption('SRT')))],
    ['segments of WebVTT in HLS', beside(hls, text('M3U8', caption('WEBVTT')))],
    ['a track in CMAF', beside(cmafGroup({ destination: 's3://out/cmaf' }), text('CMFC', caption('IMSC')))],
    ['a track in DASH', beside(dashGroup({ destination: 's3://out/dash' }), text('MPD', caption('WEBVTT')))],
    ['drawn on the picture', inFilm(caption('BURN_IN'))],
    ['put into the picture', inFilm(caption('EMBEDDED'))],
  ];
  for (const [name, group] of cases) test(name, () => assert.deepEqual(problemsOf(jobWith(group)), []));
});

describe('captions that are refused', () => {
  const at = '/outputGroups/0/outputs/0/captionDescriptions/0';
  const type = `${at}/destinationSettings/destinationType`;
  const beyond = '/outputGroups/0/outputs/1/captionDescriptions/0/destinationSettings/destinationType';
  const selector = '/inputs/0/captionSelectors/text/sourceSettings';
  const burnIn = (settings: BurninDestinationSettings): JobSettings =>
    jobWith(inFilm(caption('BURN_IN', { BurninDestinationSettings: settings })));
  const source = (settings: CaptionSourceSettings): JobSettings => jobWith(inFilm(caption('BURN_IN')), settings);
  const cases: readonly (readonly [string, JobSettings, string])[] = [
    ['teletext', jobWith(inFilm(caption('TELETEXT'))), type],
    [
      'of a selector that no input has',
      jobWith(inFilm({ ...caption('BURN_IN'), CaptionSelectorName: 'no' })),
      `${at}/captionSelectorName`,
    ],
    ['a file in the output of the film', jobWith(inFilm(caption('SRT'))), type],
    [
      'SRT in HLS',
      jobWith(beside(hlsLadder({ destination: 's3://out/h' }), text('M3U8', caption('SRT')))),
      '/outputGroups/0/outputs/2/captionDescriptions/0/destinationSettings/destinationType',
    ],
    [
      'a file in a container',
      jobWith(beside(film, text('MP4', caption('SRT')))),
      '/outputGroups/0/outputs/1/containerSettings/container',
    ],
    ['two in one file', jobWith(beside(film, text('RAW', caption('SRT'), caption('SRT')))), beyond],
    ['drawn on nothing', jobWith(beside(film, text('RAW', caption('BURN_IN')))), beyond],
    [
      'a job of nothing else',
      jobWith({ ...film, Outputs: [text('RAW', caption('SRT'))] }),
      '/outputGroups/0/outputs/0',
    ],
    [
      'two channels of a field',
      jobWith(
        inFilm(
          caption('EMBEDDED', { EmbeddedDestinationSettings: { Destination608ChannelNumber: 1 } }),
          caption('EMBEDDED', { EmbeddedDestinationSettings: { Destination608ChannelNumber: 2 } }),
        ),
      ),
      '/outputGroups/0/outputs/0/captionDescriptions/1/destinationSettings/embeddedDestinationSettings/destination608ChannelNumber',
    ],
    [
      'settings of another kind',
      jobWith(inFilm(caption('BURN_IN', { SrtDestinationSettings: {} }))),
      `${at}/destinationSettings/srtDestinationSettings`,
    ],
    [
      'a font of the job',
      burnIn({ FontFileRegular: 's3://in/a.ttf' }),
      `${at}/destinationSettings/burninDestinationSettings/fontFileRegular`,
    ],
    [
      'Chinese letters',
      burnIn({ FontScript: 'HANS' }),
      `${at}/destinationSettings/burninDestinationSettings/fontScript`,
    ],
    [
      'a hexadecimal colour that is not used',
      burnIn({ HexFontColor: '112233' }),
      `${at}/destinationSettings/burninDestinationSettings/hexFontColor`,
    ],
    [
      'WebVTT as it is',
      jobWith(
        beside(film, text('RAW', caption('WEBVTT', { WebvttDestinationSettings: { StylePassthrough: 'STRICT' } }))),
      ),
      '/outputGroups/0/outputs/1/captionDescriptions/0/destinationSettings/webvttDestinationSettings/stylePassthrough',
    ],
    ['teletext as a source', source({ SourceType: 'TELETEXT' }), `${selector}/sourceType`],
    ['a source without its file', source({ SourceType: 'SRT' }), selector],
    [
      'a source with settings of another',
      source({ SourceType: 'EMBEDDED', FileSourceSettings: {} }),
      `${selector}/fileSourceSettings`,
    ],
    [
      'captions turned into CEA-708',
      source({ SourceType: 'EMBEDDED', EmbeddedSourceSettings: { Convert608To708: 'UPCONVERT' } }),
      `${selector}/embeddedSourceSettings/convert608To708`,
    ],
  ];
  for (const [name, settings, pointer] of cases) {
    test(name, () => {
      const problems = problemsOf(settings);
      assert.ok(
        problems.some((problem) => problem.startsWith(`${pointer}: `)),
        problems.join('\n'),
      );
    });
  }
});

test('what settings say of captions reaches the worker', () => {
  const selectors = planCaptionSelectors({
    file: {
      SourceSettings: {
        SourceType: 'SCC',
        FileSourceSettings: {
          SourceFile: 's3://in/a.scc',
          TimeDelta: -2,
          Framerate: { FramerateNumerator: 24, FramerateDenominator: 1 },
          ConvertPaintToPop: 'ENABLED',
        },
      },
    },
    picture: {
      SourceSettings: {
        SourceType: 'EMBEDDED',
        EmbeddedSourceSettings: { Source608ChannelNumber: 3, TerminateCaptions: 'DISABLED' },
      },
    },
    nothing: { SourceSettings: { SourceType: 'NULL_SOURCE' } },
  });
  assert.deepEqual(selectors, {
    file: {
      kind: 'file',
      format: 'scc',
      source: { bucket: 'in', key: 'a.scc' },
      deltaMs: -2000,
      framerate: { num: 24, den: 1 },
      isPaintConverted: true,
    },
    picture: { kind: 'embedded', channel: 3, isTerminated: false },
    nothing: { kind: 'none' },
  });
  const BurninDestinationSettings: BurninDestinationSettings = {
    FontColor: 'HEX',
    HexFontColor: 'A0B0C080',
    ShadowColor: 'BLACK',
    ShadowOpacity: 51,
    ApplyFontColor: 'ALL_TEXT',
    Alignment: 'LEFT',
    FontSize: 0,
    TeletextSpacing: 'FIXED_GRID',
  };
  const { captions } = planCaptions({
    CaptionDescriptions: [{ ...caption('BURN_IN', { BurninDestinationSettings }), LanguageCode: 'DEU' }],
  });
  assert.deepEqual(captions, [
    {
      selector: 'text',
      language: 'deu',
      destination: {
        kind: 'burn-in',
        isStyleKept: false,
        fontColor: '#a0b0c0',
        isColorForWhiteOnly: false,
        fontOpacity: 128 / 255,
        shadowColor: '#000000',
        shadowOpacity: 0.2,
        align: 'left',
        isMonospaced: true,
        isSerif: false,
      },
    },
  ]);
});
