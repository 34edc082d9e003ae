import type { AuditRecord, AuditSink } from '#kernel/audit.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { ServiceEvent, ServiceEventSink } from '#kernel/service-event.ts';
import { newEventId } from './domain/event-id.ts';
import type { EventBuffer } from './domain/event-buffer.ts';
import { toServiceEvent } from './domain/service-event.ts';
import { toBufferedEvents } from './domain/to-event.ts';

export type { PrincipalActivity, OperationUse } from './principal-activity.ts';

/** The audit log as the gateway sees it: it takes records and writes them in groups. */
export class CloudTrailLog implements AuditSink, ServiceEventSink {
  readonly #buffer: EventBuffer;
  readonly #randomness: Randomness;

  constructor(buffer: EventBuffer, randomness: Randomness) {
    this.#buffer = buffer;
    this.#randomness = randomness;
  }

  /** @returns the id of the record's event */
  append(record: AuditRecord): string {
    const eventId = newEventId(record.time, this.#randomness);
    for (const event of toBufferedEvents(record, eventId)) this.#buffer.add(event);
    return eventId;
  }

  appendServiceEvent(event: ServiceEvent): void {
    this.#buffer.add(toServiceEvent(event, newEventId(event.time, this.#randomness)));
  }

  /** Resolves when every record so far is written. */
  flush(): Promise<void> {
    return this.#buffer.flush();
  }

  /** Writes every record so far and takes none afterwards. */
  close(): Promise<void> {
    return this.#buffer.close();
  }
}
