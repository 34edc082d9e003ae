import type { Still, StillJob } from './still-job.ts';

/** Platform → stills worker. One job at a time. */
export interface ToStillsWorker {
  readonly kind: 'job';
  readonly job: StillJob;
  /** The worker ends itself when the job takes longer: also where nobody is left to end it. */
  readonly milliseconds: number;
  /** Resident bytes at which it ends itself. */
  readonly memoryBytes: number;
}

/** Stills worker → platform. */
export type FromStillsWorker =
  | { readonly kind: 'done'; readonly stills: readonly Still[] }
  /** The media could not be decoded at all. */
  | { readonly kind: 'failed' }
  /** There is no FFmpeg: the message says what to do. */
  | { readonly kind: 'unavailable'; readonly message: string };
