/** What an HLS manifest says about captions. Source: RFC 8216, 4.3.4.1; the group's name is the service's. */

const SUBTITLE_GROUP = 'subs';
const CLOSED_GROUP = 'cc';

/** A rendition of text. */
export interface SubtitleRendition {
  readonly title: string;
  /** Lower case. */
  readonly language?: string;
  readonly isDefault: boolean;
  /** For people who cannot hear. */
  readonly isForAccessibility: boolean;
}

/** Closed captions in the pictures: named, or said not to be there; absent, the manifest does not speak of them. */
export type ClosedCaptions = 'none' | readonly ClosedCaptionChannel[];

interface ClosedCaptionChannel {
  /** 1 to 4. */
  readonly channel: number;
  readonly language?: string;
  readonly title: string;
}

const ACCESSIBILITY = 'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound';

/** @param address of the child manifest, as it is to be written */
export function subtitleLine(rendition: SubtitleRendition, address: string): string {
  const { title, language, isDefault, isForAccessibility } = rendition;
  const attributes = [
    'TYPE=SUBTITLES',
    `GROUP-ID="${SUBTITLE_GROUP}"`,
    `NAME="${quoted(title)}"`,
    `DEFAULT=${isDefault ? 'YES' : 'NO'}`,
    'AUTOSELECT=YES',
    'FORCED=NO',
    ...(language === undefined ? [] : [`LANGUAGE="${quoted(language)}"`]),
    ...(isForAccessibility ? [`CHARACTERISTICS="${ACCESSIBILITY}"`] : []),
    `URI="${address}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

export function closedCaptionLines(captions: ClosedCaptions | undefined): string[] {
  if (captions === undefined || captions === 'none') return [];
  return captions.map(({ channel, language, title }, index) => {
    const attributes = [
      'TYPE=CLOSED-CAPTIONS',
      `GROUP-ID="${CLOSED_GROUP}"`,
      `NAME="${quoted(title)}"`,
      ...(language === undefined ? [] : [`LANGUAGE="${quoted(language)}"`]),
      `DEFAULT=${index === 0 ? 'YES' : 'NO'}`,
      'AUTOSELECT=YES',
      `INSTREAM-ID="CC${channel}"`,
    ];
    return `#EXT-X-MEDIA:${attributes.join(',')}`;
  });
}

/** The attributes of a variant that has pictures. */
export function captionAttributes(captions: ClosedCaptions | undefined, hasSubtitles: boolean): string[] {
  return [
    ...(hasSubtitles ? [`SUBTITLES="${SUBTITLE_GROUP}"`] : []),
    ...(captions === undefined
      ? []
      : [captions === 'none' ? 'CLOSED-CAPTIONS=NONE' : `CLOSED-CAPTIONS="${CLOSED_GROUP}"`]),
  ];
}

function quoted(text: string): string {
  return text.replace(/["\r\n]/g, '');
}
