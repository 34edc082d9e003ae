import type { Loudness } from '../loudness/loudness-meter.ts';
import { ObjectWriter, type PartSink } from '../packaging/object-writer.ts';
import { expandIdentifiers } from '../packaging/output-name.ts';
import type { AudioSettings } from '../audio-settings.ts';
import type { RunningGroup } from './finish-group.ts';
import { gainFor } from './loudness-target.ts';
import { nameFacts } from './outputs.ts';

const COLUMNS = [
  'Track',
  'Algorithm',
  'Input Integrated Loudness (LKFS)',
  'Input Max Loudness (LKFS)',
  'Input True Peak (dBTP)',
  'Target Loudness (LKFS)',
  'Gain (dB)',
];

/** Writes what was measured of an output's tracks beside it: `name_loudness.csv`. */
export function writeLoudnessLogs(
  { group, tracks }: RunningGroup,
  sink: PartSink,
  startedAt: number,
  measuredOf: (settings: AudioSettings) => Loudness | undefined,
): void {
  group.outputs.forEach((output, index) => {
    const made = tracks[index];
    if (made === undefined) return;
    const rows = made.audios.flatMap(({ settings }, track) => {
      const measured = measuredOf(settings);
      return settings.loudness?.isLogged === true && measured !== undefined ? [row(track + 1, settings, measured)] : [];
    });
    if (rows.length === 0) return;
    const facts = nameFacts(group, 'csv', made, output, startedAt);
    const key = expandIdentifiers(`${group.keyBase}${output.nameModifier}_loudness.csv`, facts);
    const writer = new ObjectWriter(sink, { key, contentType: 'text/csv' });
    writer.write(Buffer.from([COLUMNS.join(','), ...rows, ''].join('\r\n')));
    writer.end();
  });
}

function row(track: number, { loudness }: AudioSettings, measured: Loudness): string {
  if (loudness === undefined) return '';
  const values = [
    String(track),
    loudness.isGated ? 'ITU-R BS.1770-4' : 'ITU-R BS.1770-1',
    level(measured.integrated),
    level(measured.loudest),
    loudness.isTruePeakMeasured ? level(measured.truePeak) : '',
    loudness.isCorrected ? level(loudness.target) : '',
    level(gainFor(loudness, measured)),
  ];
  return values.join(',');
}

function level(decibels: number): string {
  return Number.isFinite(decibels) ? decibels.toFixed(2) : '-inf';
}
