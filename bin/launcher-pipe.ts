import { Socket } from 'node:net';

/** Set by `bin/coffer.mjs`: the number of a pipe that it holds open for as long as it lives. */
const VARIABLE = 'COFFER_LAUNCHER_PIPE';

/**
 * Resolves when the launcher that started this process is gone, however it ended: a server that nobody waits for any more
 * must not hold the data folder. Never resolves where there is no launcher.
 */
export async function launcherGone(): Promise<void> {
  const descriptor = process.env[VARIABLE];
  delete process.env[VARIABLE];
  if (descriptor === undefined || !/^\d+$/.test(descriptor)) return new Promise(() => {});
  let pipe: Socket;
  try {
    pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
  } catch {
    return new Promise(() => {});
  }
  pipe.on('error', () => {});
  pipe.resume();
  pipe.unref();
  return new Promise((resolve) => pipe.once('close', () => resolve()));
}
