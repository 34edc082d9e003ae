import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface LossyPath {
  /** Where datagrams of clients go. */
  readonly to: { readonly host: string; readonly port: number };
  /** Parts of 1 (0.05 is 5 %), for both directions. */
  readonly loss?: number;
  /** A reordered datagram leaves after the next one to four of its direction, or 20 ms later. */
  readonly reorder?: number;
  readonly duplicate?: number;
  /** The same seed makes the same decisions. */
  readonly seed?: number;
  /** The port of 127.0.0.1 to listen on; without it the system chooses. */
  readonly port?: number;
}

export interface LossyRelay extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly counts: PathCounts;
  /** From now on; what is not named stays. */
  change(path: Partial<Pick<LossyPath, 'loss' | 'reorder' | 'duplicate'>>): void;
  close(): Promise<void>;
}

/** Datagrams. */
interface PathCounts {
  forward: number;
  back: number;
  lost: number;
  reordered: number;
  duplicated: number;
}

interface Held {
  readonly send: () => void;
  left: number;
  readonly timer: NodeJS.Timeout;
}

const LONGEST_HOLD_MS = 20;

/** A bad network: UDP from any number of clients to one place and back, losing, reordering, doubling datagrams. */
export async function startLossyRelay(path: LossyPath): Promise<LossyRelay> {
  const { to } = path;
  const chances = { loss: path.loss ?? 0, reorder: path.reorder ?? 0, duplicate: path.duplicate ?? 0 };
  const random = seededRandom(path.seed ?? 1);
  const counts: PathCounts = { forward: 0, back: 0, lost: 0, reordered: 0, duplicated: 0 };
  const clients = new Map<string, Socket>();

  const makeDirection = (): ((send: () => void) => void) => {
    const held = new Set<Held>();
    const release = (one: Held): void => {
      clearTimeout(one.timer);
      if (held.delete(one)) one.send();
    };
    return (send) => {
      const [isLost, isDoubled, isHeld] = [
        random() < chances.loss,
        random() < chances.duplicate,
        random() < chances.reorder,
      ];
      if (isLost) {
        counts.lost++;
        return;
      }
      if (isDoubled) {
        counts.duplicated++;
        send();
      }
      if (isHeld) {
        counts.reordered++;
        const one: Held = {
          send,
          left: 1 + Math.floor(random() * 4),
          timer: setTimeout(() => release(one), LONGEST_HOLD_MS),
        };
        held.add(one);
        return;
      }
      send();
      for (const one of held) if (--one.left <= 0) release(one);
    };
  };

  const front = createSocket('udp4');
  const forward = makeDirection();
  const client = ({ address, port }: RemoteInfo): Socket => {
    const known = clients.get(`${address}:${port}`);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    const pass = makeDirection();
    socket.on('message', (datagram) => {
      counts.back++;
      pass(() => sendOver(front, datagram, port, address));
    });
    clients.set(`${address}:${port}`, socket);
    return socket;
  };
  front.on('error', () => undefined);
  front.on('message', (datagram, from) => {
    counts.forward++;
    const socket = client(from);
    forward(() => sendOver(socket, datagram, to.port, to.host));
  });
  front.bind(path.port ?? 0, '127.0.0.1');
  await once(front, 'listening');
  front.setRecvBufferSize(4 * 1024 ** 2);
  const close = async (): Promise<void> => {
    for (const socket of clients.values()) closeQuietly(socket);
    await new Promise<void>((resolve) => front.close(() => resolve()));
  };
  return {
    port: front.address().port,
    counts,
    change: (changed) => void Object.assign(chances, changed),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function sendOver(socket: Socket, datagram: Buffer, port: number, host: string): void {
  try {
    socket.send(datagram, port, host, () => undefined);
  } catch {
    // The relay was closed while the datagram was held.
  }
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It is closed already.
  }
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
