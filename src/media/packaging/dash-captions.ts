/** What an MPD says of a rendition of captions. */
export interface DashText {
  /** Absent: fragmented MP4. */
  readonly mimeType?: string;
  readonly language?: string;
  readonly title?: string;
  readonly isForAccessibility: boolean;
}

/** The attributes of an adaptation set of text, and the elements that it begins with. */
export function textSet(
  text: DashText,
  isOnDemand: boolean,
): { readonly attributes: string[]; readonly elements: string[] } {
  const isFragmented = text.mimeType === undefined;
  const role = 'urn:mpeg:dash:role:2011';
  return {
    attributes: [
      'contentType="text"',
      `mimeType="${text.mimeType ?? 'application/mp4'}"`,
      ...(text.language === undefined ? [] : [`lang="${escaped(text.language)}"`]),
      ...(isFragmented ? ['segmentAlignment="true"', 'startWithSAP="1"'] : []),
      ...(isFragmented && isOnDemand ? ['subsegmentAlignment="true"', 'subsegmentStartsWithSAP="1"'] : []),
    ],
    elements: [
      ...(text.title === undefined ? [] : [`      <Label>${escaped(text.title)}</Label>`]),
      text.isForAccessibility
        ? `      <Accessibility schemeIdUri="${role}" value="caption"/>`
        : `      <Role schemeIdUri="${role}" value="subtitle"/>`,
    ],
  };
}

/** Tells players of captions in the picture (SCTE 214-1). */
export function closedCaptionHints(channels: string | undefined): string[] {
  if (channels === undefined) return [];
  return [`      <Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="${escaped(channels)}"/>`];
}

/** Each track of captions is a set of its own: players choose between them by language and name. */
export function textSetKey(
  { language = '', title = '', mimeType = '', isForAccessibility }: DashText,
  id: string,
): string {
  return `text ${language} ${title} ${mimeType} ${isForAccessibility} ${id}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
