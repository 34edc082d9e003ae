import { Counter, Gauge, type Registry } from 'prom-client';
import type { ScrubStatus } from '#services/s3/maintenance/scrub/scrubber.ts';

/** Metrics of the reading again of everything; none where the operator has not turned it on. */
export function registerScrubMetrics(registry: Registry, status: () => ScrubStatus | undefined): void {
  if (status() === undefined) return;
  const counter = (name: string, help: string, of: (status: ScrubStatus) => number) =>
    new Counter({
      name: `coffer_s3_scrub_${name}`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        const now = status();
        if (now !== undefined) this.inc(of(now));
      },
    });
  counter('checked_total', 'Objects, versions and parts that were read again.', ({ checked }) => checked);
  counter('bytes_total', 'Bytes of content that were read again.', ({ bytes }) => bytes);
  counter('damaged_total', 'Objects, versions and parts that were found damaged.', ({ damaged }) => damaged);
  new Gauge({
    name: 'coffer_s3_scrub_finished_timestamp_seconds',
    help: 'When everything was last read to the end; 0 for not since the start.',
    registers: [registry],
    collect() {
      this.set((status()?.finishedAt ?? 0) / 1000);
    },
  });
}
