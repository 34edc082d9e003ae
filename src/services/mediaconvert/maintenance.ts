import { JOB_RETENTION_MS } from './domain/job-search.ts';
import type { MediaconvertStore } from './store.ts';

const QUERY_RETENTION_MS = 86_400_000;

/** Removes the records of jobs and jobs queries whose time is over. */
export async function pruneRecords(store: MediaconvertStore, now: number): Promise<void> {
  await store.prune(now - JOB_RETENTION_MS, now - QUERY_RETENTION_MS);
}
