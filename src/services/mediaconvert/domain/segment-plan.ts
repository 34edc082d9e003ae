import type { HlsGroup } from '#media/output-group.ts';

interface SegmentSettings {
  readonly SegmentLengthControl?: string | undefined;
  readonly MinFinalSegmentLength?: number | undefined;
}

/** Where segments end. */
export function planAlignment(settings: SegmentSettings): Pick<HlsGroup, 'alignment' | 'minFinalSeconds'> {
  const { SegmentLengthControl: control, MinFinalSegmentLength: least = 0 } = settings;
  return {
    alignment: control === 'MATCH' ? 'match' : control === 'GOP_MULTIPLE' ? 'gop-multiple' : 'exact',
    ...(least > 0 && { minFinalSeconds: least }),
  };
}
