import type { JobRecord } from '../store.ts';

export interface JobWarning {
  readonly code: number;
  readonly message: string;
}

/** A job could not move to another queue. */
export const CANNOT_HOP = 100_000;

/** Whether a warning was given before the job began: it stays when the job begins again. */
export function isFromBefore({ code }: JobWarning): boolean {
  return code === CANNOT_HOP;
}

export function warningsOf(job: Pick<JobRecord, 'warnings'>): readonly JobWarning[] {
  return JSON.parse(job.warnings) as JobWarning[];
}

/** As the API and the events count them. */
export function countWarnings(warnings: readonly JobWarning[]): readonly { Code: number; Count: number }[] {
  const counts = new Map<number, number>();
  for (const { code } of warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([Code, Count]) => ({ Code, Count }));
}
