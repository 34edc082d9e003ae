import type { RotationType } from '@aws-sdk/client-kms';
import type { ServiceEvent, ServiceEventSink } from '#kernel/service-event.ts';
import { keyArn } from '../domain/key-identifier.ts';
import type { KeyRecord } from '../tables.ts';

/** Material that a rotation replaced, and what replaced it. */
export interface Rotation {
  readonly key: KeyRecord;
  readonly previous: string;
  readonly current: string;
}

/** Imported material that ended. */
export interface EndedMaterial {
  readonly key: KeyRecord;
  readonly materialId: string;
}

/**
 * What KMS does with keys without a request for it, or after one, as CloudTrail has it. Times are milliseconds since the
 * epoch. Source: KMS developer guide, "Examples of AWS KMS log entries".
 */
export class KeyEvents {
  readonly #sink: ServiceEventSink;

  constructor(sink: ServiceEventSink) {
    this.#sink = sink;
  }

  /** Written of rotations on demand too, beside the request. */
  rotated({ key, previous, current }: Rotation, rotationType: RotationType, now: number): void {
    const materials = { previousKeyMaterialId: previous, currentKeyMaterialId: current };
    this.#append('RotateKey', key, now, {
      serviceEventDetails: { rotationType, keyOrigin: key.origin, ...materials, keyId: key.id },
    });
  }

  deleted(keys: readonly KeyRecord[], now: number): void {
    for (const key of keys) this.#append('DeleteKey', key, now, { responseElements: { keyId: keyArn(key) } });
  }

  expired(ended: readonly EndedMaterial[], now: number): void {
    for (const { key, materialId } of ended) {
      // Of other keys the ids of materials are not told.
      const material = key.spec === 'SYMMETRIC_DEFAULT' && { keyMaterialId: materialId };
      this.#append('DeleteExpiredKeyMaterial', key, now, { serviceEventDetails: { keyId: key.id, ...material } });
    }
  }

  #append(
    eventName: string,
    key: KeyRecord,
    time: number,
    facts: Pick<ServiceEvent, 'responseElements' | 'serviceEventDetails'>,
  ): void {
    const { account, region } = key;
    const eventSource = 'kms.amazonaws.com';
    this.#sink.appendServiceEvent({
      time,
      account,
      region,
      eventSource,
      eventName,
      resources: [keyArn(key)],
      ...facts,
    });
  }
}
