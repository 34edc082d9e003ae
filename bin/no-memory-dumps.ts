import { writeFileSync } from 'node:fs';

/**
 * Keeps this process's memory, which holds keys, out of files: a core dump of it, or of a process that it starts, has no
 * memory in it, wherever the system sends it; a diagnostic report has no environment, which may hold a passphrase; and
 * SIGUSR1 opens no debugger, to which every user of the machine could connect.
 *
 * The launcher sets the limit of core dumps to nothing besides (`coffer.mjs`).
 */
export function preventMemoryDumps(): void {
  if (process.platform === 'linux') {
    try {
      writeFileSync('/proc/self/coredump_filter', '0');
    } catch {
      // Without /proc there is the limit.
    }
  }
  process.report.excludeEnv = true;
  if (process.platform !== 'win32') process.on('SIGUSR1', () => {});
}
