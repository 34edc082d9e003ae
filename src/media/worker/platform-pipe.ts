/**
 * Ends the process at once, as nothing in it is worth cleaning up: an orderly exit would wait for FFmpeg's thread, which
 * may wait for this one, and run finalizers over half-made native objects.
 */
export function endProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Sends a message to the platform; where it is gone, nothing happens. */
export function tellPlatform(message: unknown, then: () => void = () => undefined): void {
  // With a callback, a failure is no uncaught exception.
  if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, then);
  else then();
}

/** INVARIANT: a worker does not outlive its platform, whatever FFmpeg is doing, nor a fault of its own. */
export function dieWithPlatform(): void {
  process.on('disconnect', endProcess);
  process.on('uncaughtException', endProcess);
  // It may be gone already.
  if (!process.connected) endProcess();
}
