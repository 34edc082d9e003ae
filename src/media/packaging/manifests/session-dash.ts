import { type ManifestFragment, type ManifestTrack, query } from './session-media.ts';

/** A fragment on the session's own timeline, on which there are no gaps. */
export interface TimelineFragment extends ManifestFragment {
  /** Its place among the session's fragments, from 0. */
  readonly sequence: number;
  /** Where it begins on the timeline, in milliseconds. */
  readonly mediaTime: number;
}

export interface DashManifestFacts {
  readonly token: string;
  readonly tracks: readonly ManifestTrack[];
  readonly fragments: readonly TimelineFragment[];
  /** What is subtracted from times in the media segments, in milliseconds. */
  readonly mediaOffsetMs: number;
  /** True when no fragment will follow. */
  readonly hasEnded: boolean;
  /** When the timeline's zero is, in milliseconds since the epoch. */
  readonly zeroAt: number;
  readonly now: number;
  readonly areTimestampsShown: boolean;
  readonly areNumbersShown: boolean;
}

/** Of times in the manifest. */
const TIMESCALE = 1000;
/** What players should hold before they begin. */
const MIN_BUFFER_MS = 2000;
const UPDATE_PERIOD_MS = 1000;
/** How many fragments behind the newest a player should play. */
const DELAY_FRAGMENTS = 3;

/**
 * A session's manifest (ISO 23009-1), static when it is whole and dynamic while fragments are added.
 *
 * Of the attributes `kvs:ts` and `kvs:fn` AWS documents the names only: times are in seconds with three decimals here,
 * as in the service's tags.
 */
export function sessionDashManifest(facts: DashManifestFacts): string {
  const { fragments, tracks, hasEnded } = facts;
  const first = fragments[0];
  const last = fragments.at(-1);
  const begin = first?.mediaTime ?? 0;
  const end = last === undefined ? begin : last.mediaTime + last.durationMs;
  const longest = fragments.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  const needsNames = facts.areTimestampsShown || facts.areNumbersShown;
  const presentation = hasEnded
    ? [`type="static"`, `mediaPresentationDuration="${period(end)}"`]
    : [
        `type="dynamic"`,
        `availabilityStartTime="${new Date(facts.zeroAt).toISOString()}"`,
        `publishTime="${new Date(facts.now).toISOString()}"`,
        `minimumUpdatePeriod="${period(UPDATE_PERIOD_MS)}"`,
        `timeShiftBufferDepth="${period(end - begin)}"`,
        `suggestedPresentationDelay="${period(Math.min(end - begin, DELAY_FRAGMENTS * longest))}"`,
      ];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD ${[
      'xmlns="urn:mpeg:dash:schema:mpd:2011"',
      ...(needsNames ? ['xmlns:kvs="urn:kinesisvideo:dash"'] : []),
      'profiles="urn:mpeg:dash:profile:isoff-live:2011"',
      ...presentation,
      `minBufferTime="${period(MIN_BUFFER_MS)}"`,
    ].join(' ')}>`,
    `  <Period id="0" start="PT0S">`,
    ...tracks.flatMap((track) => adaptationSet(track, facts)),
    '  </Period>',
    ...(hasEnded
      ? []
      : [`  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="${new Date(facts.now).toISOString()}"/>`]),
    '</MPD>',
    '',
  ];
  return lines.join('\n');
}

function adaptationSet(track: ManifestTrack, facts: DashManifestFacts): string[] {
  const { picture, sound } = track;
  const kind = picture === undefined ? 'audio' : 'video';
  const rate = picture?.framesPerSecond;
  const attributes = [
    `id="${track.number}"`,
    `codecs="${track.codec}"`,
    `bandwidth="${track.bandwidth}"`,
    ...(picture === undefined ? [] : [`width="${picture.width}"`, `height="${picture.height}"`]),
    ...(rate === undefined ? [] : [`frameRate="${fraction(rate)}"`]),
    ...(sound === undefined ? [] : [`audioSamplingRate="${sound.sampleRate}"`]),
  ];
  const parameters = { SessionToken: facts.token, TrackNumber: track.number };
  const template = [
    `timescale="${TIMESCALE}"`,
    `presentationTimeOffset="${facts.mediaOffsetMs}"`,
    `startNumber="${facts.fragments[0]?.sequence ?? 0}"`,
    `initialization="${escaped(`getMP4InitFragment.mp4?${query({ ...parameters, SequenceNumber: 0 })}`)}"`,
    `media="${escaped(`getMP4MediaFragment.mp4?${query({ FragmentNumber: '$Number$', ...parameters })}`)}"`,
  ];
  return [
    `    <AdaptationSet id="${track.number}" contentType="${kind}" mimeType="${kind}/mp4" segmentAlignment="true" startWithSAP="1">`,
    `      <Representation ${attributes.join(' ')}>`,
    ...(sound === undefined
      ? []
      : [
          `        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="${sound.channels}"/>`,
        ]),
    `        <SegmentTemplate ${template.join(' ')}>`,
    '          <SegmentTimeline>',
    ...facts.fragments.map((fragment) => `            ${timelineEntry(fragment, facts)}`),
    '          </SegmentTimeline>',
    '        </SegmentTemplate>',
    '      </Representation>',
    '    </AdaptationSet>',
  ];
}

function timelineEntry(
  { mediaTime, durationMs, timestamp, number }: TimelineFragment,
  facts: DashManifestFacts,
): string {
  const attributes = [
    `t="${mediaTime + facts.mediaOffsetMs}"`,
    `d="${durationMs}"`,
    ...(facts.areTimestampsShown ? [`kvs:ts="${(timestamp / 1000).toFixed(3)}"`] : []),
    ...(facts.areNumbersShown ? [`kvs:fn="${number}"`] : []),
  ];
  return `<S ${attributes.join(' ')}/>`;
}

/** A length of time in XML: `PT3.5S`. */
function period(ms: number): string {
  return `PT${ms / 1000}S`;
}

/** A rate as a fraction of whole numbers, as the schema wants it. */
function fraction(rate: number): string {
  return Number.isInteger(rate) ? String(rate) : `${Math.round(rate * 1000)}/1000`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
