import type { StaticOperationSchema, StaticSimpleSchema, StaticStructureSchema } from '@smithy/types';

// What players fetch stands in no SDK's model: these shapes are written by hand, after the addresses that the real
// service gives out and the names in "GetHLSStreamingSessionURL" and "GetDASHStreamingSessionURL". The kinds are those of
// Smithy's static schemas: 0 simple, 3 structure, 9 operation; 42 is a blob.
const NAMESPACE = 'com.amazonaws.kinesisvideoarchivedmedia';

const Payload$: StaticSimpleSchema = [0, NAMESPACE, 'Payload', { streaming: 1 }, 42];

/** Nothing is required: what is missing is told by the operation, in a form that a player's page may read. */
const SessionRequest$: StaticStructureSchema = [
  3,
  NAMESPACE,
  'SessionRequest',
  0,
  ['SessionToken', 'TrackNumber', 'SequenceNumber', 'FragmentNumber'],
  [
    [0, { httpQuery: 'SessionToken', sensitive: 1 }],
    [0, { httpQuery: 'TrackNumber' }],
    [0, { httpQuery: 'SequenceNumber' }],
    [0, { httpQuery: 'FragmentNumber' }],
  ],
];

const SessionResponse$: StaticStructureSchema = [
  3,
  NAMESPACE,
  'SessionResponse',
  0,
  ['ContentType', 'Payload'],
  [
    [0, { httpHeader: 'Content-Type' }],
    [() => Payload$, 16],
  ],
];

const PreflightRequest$: StaticStructureSchema = [
  3,
  NAMESPACE,
  'PreflightRequest',
  0,
  ['Resource'],
  [[0, { httpLabel: 1 }]],
  1,
];

const PreflightResponse$: StaticStructureSchema = [3, NAMESPACE, 'PreflightResponse', 0, [], []];

export interface SessionRequest {
  readonly SessionToken?: string | undefined;
  readonly TrackNumber?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly FragmentNumber?: string | undefined;
}

function fetchOf(name: string, path: string): StaticOperationSchema {
  return [9, NAMESPACE, name, { http: ['GET', path, 200] }, () => SessionRequest$, () => SessionResponse$];
}

function preflightOf(name: string, path: string): StaticOperationSchema {
  return [9, NAMESPACE, name, { http: ['OPTIONS', path, 200] }, () => PreflightRequest$, () => PreflightResponse$];
}

export const GetHLSMasterPlaylist$ = fetchOf('GetHLSMasterPlaylist', '/hls/v1/getHLSMasterPlaylist.m3u8');
export const GetHLSMediaPlaylist$ = fetchOf('GetHLSMediaPlaylist', '/hls/v1/getHLSMediaPlaylist.m3u8');
export const GetMP4InitFragment$ = fetchOf('GetMP4InitFragment', '/hls/v1/getMP4InitFragment.mp4');
export const GetMP4MediaFragment$ = fetchOf('GetMP4MediaFragment', '/hls/v1/getMP4MediaFragment.mp4');
export const GetTSFragment$ = fetchOf('GetTSFragment', '/hls/v1/getTSFragment.ts');
export const GetDASHManifest$ = fetchOf('GetDASHManifest', '/dash/v1/getDASHManifest.mpd');
/** The two that AWS has one name for, at their other address. */
export const GetDASHInitFragment$ = fetchOf('GetDASHInitFragment', '/dash/v1/getMP4InitFragment.mp4');
export const GetDASHMediaFragment$ = fetchOf('GetDASHMediaFragment', '/dash/v1/getMP4MediaFragment.mp4');
export const PreflightHLS$ = preflightOf('PreflightHLS', '/hls/v1/{Resource}');
export const PreflightDASH$ = preflightOf('PreflightDASH', '/dash/v1/{Resource}');

/** All that is fetched without a signature. */
export const SESSION_SCHEMAS: readonly StaticOperationSchema[] = [
  GetHLSMasterPlaylist$,
  GetHLSMediaPlaylist$,
  GetMP4InitFragment$,
  GetMP4MediaFragment$,
  GetTSFragment$,
  GetDASHManifest$,
  GetDASHInitFragment$,
  GetDASHMediaFragment$,
  PreflightHLS$,
  PreflightDASH$,
];
