import { decimal, type ManifestFragment, type ManifestTrack, query } from './session-media.ts';

/** A session's master playlist: one variant, and its sound beside it where both are in files of their own. */
export interface MasterPlaylistFacts {
  readonly token: string;
  readonly video?: ManifestTrack;
  readonly audio?: ManifestTrack;
  /** True where one file holds all tracks (MPEG-TS). */
  readonly isMuxed: boolean;
}

const AUDIO_GROUP = 'audio';

/** Source: RFC 8216, 4.3.4; the order of tags and attributes is that of the real service. */
export function sessionMasterPlaylist({ token, video, audio, isMuxed }: MasterPlaylistFacts): string {
  const tracks = [video, audio].filter((track) => track !== undefined);
  const address = (track: ManifestTrack): string =>
    `getHLSMediaPlaylist.m3u8?${query({ SessionToken: token, TrackNumber: track.number })}`;
  const main = video ?? audio;
  if (main === undefined) throw new TypeError('A session has at least one track.');
  const isAudioApart = video !== undefined && audio !== undefined && !isMuxed;
  const lines = ['#EXTM3U', '#EXT-X-VERSION:1'];
  if (isAudioApart) {
    const attributes = [
      'TYPE=AUDIO',
      `GROUP-ID="${AUDIO_GROUP}"`,
      `NAME="${AUDIO_GROUP}"`,
      'DEFAULT=YES',
      'AUTOSELECT=YES',
      `URI="${address(audio)}"`,
    ];
    lines.push(`#EXT-X-MEDIA:${attributes.join(',')}`);
  }
  const { width, height, framesPerSecond } = video?.picture ?? {};
  const attributes = [
    `CODECS="${tracks.map(({ codec }) => codec).join(',')}"`,
    ...(width === undefined ? [] : [`RESOLUTION=${width}x${height}`]),
    ...(framesPerSecond === undefined ? [] : [`FRAME-RATE=${decimal(framesPerSecond)}`]),
    `BANDWIDTH=${tracks.reduce((sum, { bandwidth }) => sum + bandwidth, 0)}`,
    ...(isAudioApart ? [`AUDIO="${AUDIO_GROUP}"`] : []),
  ];
  lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, address(main), '');
  return lines.join('\n');
}

/** A fragment's line in a media playlist, and what stands before it. */
export interface PlaylistFragment extends ManifestFragment {
  /** True where a player must begin a new timeline. */
  readonly isDiscontinuous: boolean;
  /** Which of the session's initialisation segments it needs. */
  readonly initSequence: number;
}

export interface MediaPlaylistFacts {
  readonly token: string;
  readonly trackNumber: number;
  readonly container: 'FRAGMENTED_MP4' | 'MPEG_TS';
  readonly fragments: readonly PlaylistFragment[];
  /** The number of the first fragment among all that the session had. */
  readonly mediaSequence: number;
  /** How many discontinuities lie before the first fragment's own. */
  readonly discontinuitySequence: number;
  /** The longest fragment so far, in milliseconds. */
  readonly longestMs: number;
  /** True where the playlist never changes. */
  readonly isStatic: boolean;
  /** True when no fragment will follow. */
  readonly hasEnded: boolean;
  readonly areTimestampsShown: boolean;
}

/** Source: RFC 8216, 4.3.3; the order of tags is that of the real service. */
export function sessionMediaPlaylist(facts: MediaPlaylistFacts): string {
  const { token, trackNumber, container, isStatic, discontinuitySequence } = facts;
  const isTransportStream = container === 'MPEG_TS';
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${isTransportStream ? 3 : 7}`];
  if (isStatic) lines.push('#EXT-X-PLAYLIST-TYPE:VOD');
  lines.push(
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(facts.longestMs / 1000))}`,
    `#EXT-X-MEDIA-SEQUENCE:${facts.mediaSequence}`,
  );
  if (discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`);
  lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  let initSequence: number | undefined;
  for (const fragment of facts.fragments) {
    if (fragment.isDiscontinuous) lines.push('#EXT-X-DISCONTINUITY');
    if (!isTransportStream && fragment.initSequence !== initSequence) {
      initSequence = fragment.initSequence;
      const parameters = { SessionToken: token, TrackNumber: trackNumber, SequenceNumber: initSequence };
      lines.push(`#EXT-X-MAP:URI="getMP4InitFragment.mp4?${query(parameters)}"`);
    }
    if (facts.areTimestampsShown) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(fragment.timestamp).toISOString()}`);
    const parameters = { FragmentNumber: fragment.number, SessionToken: token };
    lines.push(
      `#EXTINF:${decimal(fragment.durationMs / 1000)},`,
      isTransportStream
        ? `getTSFragment.ts?${query(parameters)}`
        : `getMP4MediaFragment.mp4?${query({ ...parameters, TrackNumber: trackNumber })}`,
    );
  }
  if (facts.hasEnded) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
