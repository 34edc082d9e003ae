import type { EventBuffer } from './domain/event-buffer.ts';
import type { CloudTrailStore } from './store.ts';

export interface CloudTrailContext {
  readonly store: CloudTrailStore;
  readonly buffer: EventBuffer;
}
