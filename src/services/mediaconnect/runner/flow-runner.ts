import { isDeepStrictEqual } from 'node:util';
import type { Encryption } from '@aws-sdk/client-mediaconnect';
import type { FlowEngine, FlowStatus, Thumbnail } from '#media/live/flow-engine.ts';
import type { SrtEncryption } from '#media/live/flow-spec.ts';
import { entitlementOf, type FlowRecord } from '../domain/flow-document.ts';
import type { EntitlementDirectory, FlowAddresses, GrantedEntitlement } from '../entitlement-directory.ts';
import { FlowFailure, flowFailureOf } from './flow-failure.ts';
import { encryptedLegs, flowSpecOf } from './flow-spec-of.ts';
import type { KeyReader } from './key-reader.ts';

interface ReadKey {
  readonly encryption: Encryption;
  readonly key: SrtEncryption;
}

/** Hands flows to the engine, with the keys that they need. Calls for one flow come one after the other. */
export class FlowRunner {
  readonly #engine: FlowEngine;
  readonly #keyReader: KeyReader;
  readonly #directory: EntitlementDirectory;
  readonly #addresses: FlowAddresses;
  /** By the flow's ARN, then by that of what is encrypted. INVARIANT: only here, and only while the flow runs. */
  readonly #keys = new Map<string, ReadonlyMap<string, ReadKey>>();
  /** Flows that are ACTIVE and have nothing to take a stream from, and why. */
  readonly #held = new Map<string, string>();

  constructor(parts: {
    readonly engine: FlowEngine;
    readonly keyReader: KeyReader;
    readonly directory: EntitlementDirectory;
    readonly addresses: FlowAddresses;
  }) {
    this.#engine = parts.engine;
    this.#keyReader = parts.keyReader;
    this.#directory = parts.directory;
    this.#addresses = parts.addresses;
  }

  /**
   * Starts a flow, or changes one that runs. Keys that are known already are not read again.
   *
   * @throws FlowFailure the flow is as it was before
   */
  async apply(flow: FlowRecord): Promise<void> {
    try {
      const granted = await this.#granted(flow);
      const keys = await this.#readKeys(flow);
      const spec = flowSpecOf(flow, {
        addresses: this.#addresses,
        keys: new Map([...keys].map(([arn, { key }]) => [arn, key])),
        granted,
        passphraseOf: (entitlement) => this.#directory.passphraseOf(entitlement),
      });
      await this.#engine.apply(spec);
      this.#keys.set(flow.arn, keys);
      this.#held.delete(flow.arn);
    } catch (error) {
      throw flowFailureOf(error) ?? error;
    }
  }

  /** As `apply` of a flow that is ACTIVE; one whose entitlement is gone stays so, without a stream. */
  async applyOrHold(flow: FlowRecord): Promise<void> {
    try {
      await this.apply(flow);
    } catch (error) {
      if (!(error instanceof FlowFailure) || !error.isUnentitled) throw error;
      await this.hold(flow, error.message);
    }
  }

  /** Ends what a flow moves, though it stays ACTIVE. */
  async hold(flow: FlowRecord, reason: string): Promise<void> {
    this.#held.set(flow.arn, reason);
    this.#keys.delete(flow.arn);
    await this.#engine.stop(flow.arn);
  }

  async stop(flow: Pick<FlowRecord, 'arn'>): Promise<void> {
    this.#held.delete(flow.arn);
    this.#keys.delete(flow.arn);
    await this.#engine.stop(flow.arn);
  }

  /** Ends what the engine does with a flow, so that who waits for it is told; `stop` follows. */
  interrupt(flow: Pick<FlowRecord, 'arn'>): Promise<void> {
    return this.#engine.stop(flow.arn);
  }

  /** Why a flow that is ACTIVE moves nothing. */
  heldBecause(flow: Pick<FlowRecord, 'arn'>): string | undefined {
    return this.#held.get(flow.arn);
  }

  status(flow: Pick<FlowRecord, 'arn'>): FlowStatus | undefined {
    return this.#engine.status(flow.arn);
  }

  thumbnail(flow: Pick<FlowRecord, 'arn'>): Promise<Thumbnail | undefined> {
    return this.#engine.thumbnail(flow.arn);
  }

  async close(): Promise<void> {
    await this.#engine.close();
    this.#keys.clear();
    this.#held.clear();
  }

  async #granted({ account, document, isSubscribed }: FlowRecord): Promise<GrantedEntitlement | undefined> {
    const arn = entitlementOf(document);
    if (arn === undefined) return undefined;
    const refuse = (message: string): never => {
      throw new FlowFailure([{ code: 'ForbiddenException', message }], true);
    };
    const granted = await this.#directory.find(arn, account);
    if (granted === undefined) return refuse(`The entitlement ${arn} is not granted to this account, or not any more.`);
    if (!isSubscribed) return refuse(`The entitlement ${arn} serves another flow already.`);
    const hasKey = document.sources[0]?.settings.Decryption !== undefined;
    if (granted.isEncrypted && !hasKey) {
      return refuse(
        `The entitlement ${arn} is encrypted: its source needs Decryption with the originator's static key.`,
      );
    }
    if (!granted.isEncrypted && hasKey) {
      return refuse(`The entitlement ${arn} is not encrypted, and its source has Decryption settings.`);
    }
    return granted;
  }

  /** INVARIANT: a key is of the settings that the flow has now. */
  async #readKeys(flow: FlowRecord): Promise<ReadonlyMap<string, ReadKey>> {
    const known = this.#keys.get(flow.arn);
    const session = this.#keyReader.forFlow(flow);
    const results = await Promise.allSettled(
      encryptedLegs(flow.document).map(async ({ arn, what, encryption }): Promise<[string, ReadKey]> => {
        const before = known?.get(arn);
        if (before !== undefined && isDeepStrictEqual(before.encryption, encryption)) return [arn, before];
        return [arn, { encryption, key: await session.read(encryption, what) }];
      }),
    );
    const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
    const unforeseen = failures.find((error) => flowFailureOf(error) === undefined);
    if (unforeseen !== undefined) throw unforeseen;
    if (failures.length > 0) throw new FlowFailure(failures.flatMap((error) => flowFailureOf(error)?.problems ?? []));
    return new Map(results.filter((result) => result.status === 'fulfilled').map(({ value }) => value));
  }
}
