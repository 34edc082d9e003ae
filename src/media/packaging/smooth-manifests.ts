import type { SmoothFragment } from './smooth-fragments.ts';

/** What the manifests of Smooth Streaming say of a track. Source: [MS-SSTR] 2.2.2. */
export interface SmoothTrack {
  /** Of the file, relative to the manifests. */
  readonly file: string;
  /** Its number in the file. */
  readonly id: number;
  /** Bits a second; within a stream, each is another. */
  readonly bitrate: number;
  readonly fourCc: 'H264' | 'AACL' | 'AACH';
  /** Hexadecimal. */
  readonly codecPrivateData: string;
  readonly fragments: readonly SmoothFragment[];
  readonly picture?: { readonly width: number; readonly height: number };
  readonly sound?: {
    readonly sampleRate: number;
    readonly channels: number;
    /** ISO 639-2. */
    readonly language?: string;
    readonly title?: string;
  };
}

interface Stream {
  readonly kind: 'video' | 'audio';
  readonly name: string;
  readonly levels: readonly SmoothTrack[];
}

const TICKS = 10_000_000;
const UNDETERMINED = 'und';

/** The server's manifest (`.ism`): which tracks are in which file. */
export function serverManifest(tracks: readonly SmoothTrack[], clientManifest: string, encoding: string): string {
  const lines = streamsOf(tracks).flatMap(({ kind, name, levels }) =>
    levels.map(({ file, id, bitrate, sound }) => {
      const language = kind === 'audio' ? ` systemLanguage="${escaped(sound?.language ?? UNDETERMINED)}"` : '';
      const params = [
        ['trackID', String(id)],
        ['trackName', name],
      ].map(([key, value = '']) => `<param name="${key}" value="${escaped(value)}" valuetype="data"/>`);
      return (
        `      <${kind} src="${escaped(encodeURIComponent(file))}" systemBitrate="${bitrate}"${language}>` +
        `${params.join('')}</${kind}>`
      );
    }),
  );
  return [
    `<?xml version="1.0" encoding="${encoding}"?>`,
    '<smil xmlns="http://www.w3.org/2001/SMIL20/Language">',
    '  <head>',
    `    <meta name="clientManifestRelativePath" content="${escaped(clientManifest)}"/>`,
    '  </head>',
    '  <body>',
    '    <switch>',
    ...lines,
    '    </switch>',
    '  </body>',
    '</smil>',
    '',
  ].join('\n');
}

/**
 * The client's manifest (`.ismc`): which streams there are, of which qualities, and when their fragments begin.
 *
 * @param protection of the content, as its key's provider tells it: a system's UUID and its header in base64
 */
export function clientManifest(
  tracks: readonly SmoothTrack[],
  seconds: number,
  encoding: string,
  protection: readonly { readonly systemId: string; readonly header: string }[] = [],
): string {
  return [
    `<?xml version="1.0" encoding="${encoding}"?>`,
    `<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" TimeScale="${TICKS}" Duration="${Math.round(seconds * TICKS)}">`,
    ...streamsOf(tracks).flatMap(streamIndex),
    ...protection.flatMap(({ systemId, header }) => [
      '  <Protection>',
      `    <ProtectionHeader SystemID="${systemId}">${escaped(header)}</ProtectionHeader>`,
      '  </Protection>',
    ]),
    '</SmoothStreamingMedia>',
    '',
  ].join('\n');
}

function streamIndex({ kind, name, levels }: Stream): string[] {
  const [first] = levels;
  if (first === undefined) return [];
  const { sound } = first;
  const widest = Math.max(...levels.map(({ picture }) => picture?.width ?? 0));
  const highest = Math.max(...levels.map(({ picture }) => picture?.height ?? 0));
  const attributes = [
    `Type="${kind}"`,
    `Name="${escaped(name)}"`,
    ...(sound === undefined ? [] : [`Language="${escaped(sound.language ?? UNDETERMINED)}"`]),
    `Subtype="${first.fourCc}"`,
    `Chunks="${first.fragments.length}"`,
    `QualityLevels="${levels.length}"`,
    ...(sound === undefined
      ? [`MaxWidth="${widest}"`, `MaxHeight="${highest}"`, `DisplayWidth="${widest}"`, `DisplayHeight="${highest}"`]
      : []),
    `Url="QualityLevels({bitrate})/Fragments(${escaped(name)}={start time})"`,
  ];
  return [
    `  <StreamIndex ${attributes.join(' ')}>`,
    ...levels.map(qualityLevel),
    ...first.fragments.map(({ start, ticks }, index) =>
      index === 0 ? `    <c t="${start}" d="${ticks}"/>` : `    <c d="${ticks}"/>`,
    ),
    '  </StreamIndex>',
  ];
}

function qualityLevel({ bitrate, fourCc, codecPrivateData, picture, sound }: SmoothTrack, index: number): string {
  const AAC_TAG = 255;
  const attributes = [
    `Index="${index}"`,
    `Bitrate="${bitrate}"`,
    `FourCC="${fourCc}"`,
    ...(picture === undefined ? [] : [`MaxWidth="${picture.width}"`, `MaxHeight="${picture.height}"`]),
    ...(sound === undefined
      ? []
      : [
          `SamplingRate="${sound.sampleRate}"`,
          `Channels="${sound.channels}"`,
          'BitsPerSample="16"',
          `PacketSize="${2 * sound.channels}"`,
          `AudioTag="${AAC_TAG}"`,
        ]),
    `CodecPrivateData="${codecPrivateData}"`,
  ];
  return `    <QualityLevel ${attributes.join(' ')}/>`;
}

/**
 * Pictures are one stream of several qualities, which begin and end their fragments together; each sound is a stream of
 * its own.
 */
function streamsOf(tracks: readonly SmoothTrack[]): Stream[] {
  const pictures = tracks.filter(({ picture }) => picture !== undefined);
  const sounds = tracks.filter(({ sound }) => sound !== undefined);
  const names = new Set<string>();
  return [
    ...(pictures.length === 0 ? [] : [{ kind: 'video' as const, name: 'video', levels: withOwnBitrates(pictures) }]),
    ...sounds.map((track) => {
      const plain = (track.sound?.title ?? track.sound?.language ?? '').replace(/[^A-Za-z0-9_-]/g, '_');
      const base = plain === '' ? 'audio' : `audio_${plain}`;
      let name = base;
      for (let count = 1; names.has(name); count++) name = `${base}_${count}`;
      names.add(name);
      return { kind: 'audio' as const, name, levels: [track] };
    }),
  ];
}

/** Qualities are asked for by their bitrate. */
function withOwnBitrates(tracks: readonly SmoothTrack[]): SmoothTrack[] {
  const taken = new Set<number>();
  return tracks.map((track) => {
    let { bitrate } = track;
    while (taken.has(bitrate)) bitrate += 1;
    taken.add(bitrate);
    return { ...track, bitrate };
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
