import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const hasTool = (tool: string): boolean => spawnSync(tool, ['--help']).error === undefined;

/** For `skip`: why tests that need librist's tools cannot run here, or false. */
export const withoutRistTools: string | false =
  hasTool('ristsender') && hasTool('ristreceiver') ? false : 'ristsender and ristreceiver are not installed';

export interface RistTool {
  close(): Promise<void>;
}

/** Sends what comes to a local UDP port over RIST, simple profile. */
export function startRistSender(fromPort: number, toPort: number, bufferMs: number): RistTool {
  return startTool('ristsender', `udp://@127.0.0.1:${fromPort}`, `rist://127.0.0.1:${toPort}?buffer=${bufferMs}`);
}

/** Waits for a RIST stream, simple profile, and sends it to a local UDP port. */
export function startRistReceiver(listenPort: number, toPort: number, bufferMs: number): RistTool {
  return startTool('ristreceiver', `rist://@127.0.0.1:${listenPort}?buffer=${bufferMs}`, `udp://127.0.0.1:${toPort}`);
}

function startTool(tool: string, input: string, output: string): RistTool {
  const child = spawn(tool, ['-p', '0', '-v', '3', '-S', '0', '-i', input, '-o', output], { stdio: 'ignore' });
  return { close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
