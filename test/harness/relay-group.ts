import { type LossyPath, type LossyRelay, startLossyRelay } from './lossy-relay.ts';

export interface RelayGroup {
  /** On 127.0.0.1; even. The others are at the offsets from it. */
  readonly port: number;
  /** In the order of the offsets. */
  readonly relays: readonly LossyRelay[];
  change(path: Parameters<LossyRelay['change']>[0]): void;
  close(): Promise<void>;
}

/**
 * Bad networks before a port and its companions.
 *
 * @param paths of each offset from the port
 */
export async function startRelayGroup(
  to: number,
  paths: ReadonlyMap<number, Omit<LossyPath, 'to' | 'port'>>,
): Promise<RelayGroup> {
  for (let attempt = 0; ; attempt++) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 6000);
    const relays: LossyRelay[] = [];
    try {
      for (const [offset, path] of paths) {
        relays.push(
          await startLossyRelay({ ...path, to: { host: '127.0.0.1', port: to + offset }, port: port + offset }),
        );
      }
    } catch (error) {
      await Promise.all(relays.map((relay) => relay.close()));
      if (attempt === 50) throw error;
      continue;
    }
    return {
      port,
      relays,
      change: (path) => relays.forEach((relay) => relay.change(path)),
      close: async () => void (await Promise.all(relays.map((relay) => relay.close()))),
    };
  }
}
