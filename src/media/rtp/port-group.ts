import type { Socket } from 'node:dgram';
import { closeDatagramSocket, openDatagramSocket } from '../live/datagram-socket.ts';
import { LegError } from '../live/leg-error.ts';

/** How often the system may choose a port that turns out to be odd, or to have companions that are taken. */
const ATTEMPTS = 50;
const LAST_PORT = 65_535;

/**
 * Opens a port and its companions.
 *
 * @param port 0 lets the system choose one whose companions are free
 * @param offsets from the port to its companions
 * @param isEven whether a port that the system chooses must be even
 * @returns the sockets: the port's, and then the companions'
 * @throws LegError when one of them is taken; none stays open then
 */
export async function openPortGroup(
  address: string,
  port: number,
  offsets: readonly number[],
  isEven = false,
): Promise<Socket[]> {
  if (port + Math.max(0, ...offsets) > LAST_PORT) {
    throw new LegError(
      'unusable',
      `Cannot listen on UDP ${address}:${port}: its companion ports would be above 65535.`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    const sockets = [await openDatagramSocket(address, port)];
    const first = sockets[0]?.address().port ?? port;
    try {
      if (port === 0 && attempt < ATTEMPTS && isEven && first % 2 !== 0) throw taken(address, first);
      for (const offset of offsets) {
        if (first + offset > LAST_PORT) throw taken(address, first + offset);
        sockets.push(await openDatagramSocket(address, first + offset));
      }
      return sockets;
    } catch (error) {
      await Promise.all(sockets.map(closeDatagramSocket));
      const isTaken = error instanceof LegError && error.code === 'port-in-use';
      if (port !== 0 || !isTaken || attempt >= ATTEMPTS) throw error;
    }
  }
}

function taken(address: string, port: number): LegError {
  return new LegError('port-in-use', `Cannot listen on UDP ${address}:${port}: the port does not fit.`);
}
