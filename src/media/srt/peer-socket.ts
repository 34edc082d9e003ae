import type { Socket } from 'node:dgram';
import type { Transmit } from './outlet.ts';

/** Datagrams that the system could not send at once and that wait in this process; more are lost, as on a network. */
const MOST_QUEUED = 512;

/** Sends over a socket that is connected. */
export function transmitConnected(socket: Socket): Transmit {
  return (packet) => {
    if (socket.getSendQueueCount() > MOST_QUEUED) return true;
    socket.send(packet);
    return socket.getSendQueueCount() === 0;
  };
}

/** Sends to one of the many peers of a socket. */
export function transmitTo(socket: Socket, address: string, port: number): Transmit {
  return (packet) => {
    if (socket.getSendQueueCount() > MOST_QUEUED) return true;
    socket.send(packet, port, address);
    return socket.getSendQueueCount() === 0;
  };
}

/** `address:port`, as people write it. */
export function peerName(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
