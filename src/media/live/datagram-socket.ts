import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { LegError, type LegErrorCode } from './leg-error.ts';

/** A burst of 4 MiB waits in the kernel, as far as its limits let it. */
const SOCKET_BUFFER_BYTES = 4 * 1024 ** 2;

const CODES: Readonly<Record<string, LegErrorCode>> = {
  EADDRINUSE: 'port-in-use',
  EADDRNOTAVAIL: 'address-not-available',
  EACCES: 'not-permitted',
};

/**
 * Opens a bound UDP socket.
 *
 * It has an `error` listener already: what the kernel says of single datagrams (an unreachable taker) is no error of the
 * leg's.
 *
 * @param address an IP address of this machine; the wildcard of the wanted family for legs that dial
 * @param port 0 lets the system choose
 * @throws LegError
 */
export function openDatagramSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: isIP(address) === 6 ? 'udp6' : 'udp4', lookup: lookupUnlessAddress });
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      socket.close();
      reject(legErrorOf(error, address, port));
    };
    socket.once('error', refuse);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', refuse);
      socket.on('error', () => undefined);
      growBuffers(socket);
      resolve(socket);
    });
  });
}

/** Frees the socket's port. */
export function closeDatagramSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function legErrorOf(error: NodeJS.ErrnoException, address: string, port: number): LegError {
  const code = CODES[error.code ?? ''] ?? 'unusable';
  const reasons: Readonly<Record<LegErrorCode, string>> = {
    'port-in-use': 'the port is in use',
    'address-not-available': 'the address is not one of this machine',
    'not-permitted': 'this process may not open the port',
    unusable: error.message,
  };
  return new LegError(code, `Cannot listen on UDP ${address}:${port}: ${reasons[code]}.`);
}

function growBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    // The system's own sizes serve as well.
  }
}

/** dgram looks up every address that it sends to; those that are addresses already need not wait for the next tick. */
const lookupUnlessAddress = ((host: string, family: unknown, done: (...result: unknown[]) => void) => {
  const version = isIP(host);
  if (version === 0) lookup(host, family as never, done as never);
  else done(null, host, version);
}) as typeof lookup;
