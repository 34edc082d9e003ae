import type { SidecarDestination } from '../caption-settings.ts';
import { type Cue, withoutStyle } from './cue.ts';
import { writeScc } from './scc.ts';
import { writeSmi } from './smi.ts';
import { writeSrt } from './srt.ts';
import { writeTtml } from './ttml-writer.ts';
import { writeWebVtt } from './webvtt-writer.ts';

const NTSC_NON_DROP = { framerate: { num: 30_000, den: 1001 }, isDropFrame: false };

export const CAPTION_TYPES: Readonly<Record<SidecarDestination['format'], string>> = {
  srt: 'application/x-subrip',
  webvtt: 'text/vtt',
  ttml: 'application/ttml+xml',
  imsc: 'application/ttml+xml',
  scc: 'text/plain',
  smi: 'text/plain',
};

/** @param language lower case */
export function writeCaptions(
  cues: readonly Cue[],
  destination: SidecarDestination,
  language: string | undefined,
): string {
  const { format, style } = destination;
  switch (format) {
    case 'srt':
      return writeSrt(cues);
    case 'webvtt':
      return writeWebVtt(cues);
    case 'ttml':
    case 'imsc':
      return writeTtml(cues, {
        profile: format,
        ...(language !== undefined && { language }),
        ...(style !== undefined && { style }),
      });
    case 'scc':
      return writeScc(cues, destination.timecode ?? NTSC_NON_DROP);
    case 'smi':
      return writeSmi(cues, language);
  }
}

/** The captions as a destination wants them: with their looks or without, and those of the same time as one. */
export function cuesFor(cues: readonly Cue[], destination: SidecarDestination): Cue[] {
  const { isStyleKept, areTwinsMerged, style } = destination;
  const dressed = isStyleKept ? [...cues] : cues.map(withoutStyle);
  const styled = style === undefined ? dressed : dressed.map((cue) => withoutOverridden(cue, style));
  return areTwinsMerged === true ? mergeTwins(styled) : styled;
}

/** What a setting says goes before what the caption says. */
function withoutOverridden(cue: Cue, style: Readonly<Record<string, string>>): Cue {
  const lines = cue.lines.map((line) =>
    line.map(({ text, color, isItalic, isBold, isUnderlined }) => ({
      text,
      ...(color !== undefined && !('tts:color' in style) && { color }),
      ...(isItalic !== undefined && !('tts:fontStyle' in style) && { isItalic }),
      ...(isBold !== undefined && !('tts:fontWeight' in style) && { isBold }),
      ...(isUnderlined !== undefined && !('tts:textDecoration' in style) && { isUnderlined }),
    })),
  );
  return { ...cue, lines };
}

function mergeTwins(cues: readonly Cue[]): Cue[] {
  const merged: Cue[] = [];
  for (const cue of cues) {
    const last = merged.at(-1);
    const isTwin = last?.startMs === cue.startMs && last.endMs === cue.endMs;
    if (isTwin) merged[merged.length - 1] = { ...last, lines: [...last.lines, ...cue.lines] };
    else merged.push(cue);
  }
  return merged;
}
