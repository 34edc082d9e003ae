import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Ends core dumps, which would put pictures and keys on the disk, and offers the worker to the kernel first. */
const SHELL_PRELUDE =
  'ulimit -c 0; ulimit -n "$1" 2>/dev/null; shift; echo 1000 2>/dev/null >/proc/self/oom_score_adj; exec "$@"';
/** Of files, connections and the runtime's own. */
const OPEN_FILES = 256;

/**
 * The second is in MiB, for each thread: media on its way counts as a heap that grows, and a small heap would be walked
 * for every few megabytes of it.
 */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--initial-old-space-size=256'];

/**
 * Starts a process for untrusted media, which talks over its IPC pipe.
 *
 * INVARIANT: no secret is in the arguments or the environment; what the worker may know comes over the pipe. Its
 * output is dropped, as FFmpeg and a crashing runtime may print anything.
 *
 * @param main the module that it runs
 * @param openFiles how many it may have open at once
 */
export function spawnWorker(main: URL, openFiles = OPEN_FILES): ChildProcess {
  const command = [process.execPath, ...FLAGS, fileURLToPath(main)];
  const isPosix = process.platform !== 'win32';
  const [file = '', ...args] = isPosix
    ? ['/bin/sh', '-c', SHELL_PRELUDE, 'coffer-media', String(openFiles), ...command]
    : command;
  return spawn(file, args, {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    env: { NODE_ENV: 'production', ...compiledCode() },
  });
}

let codeFolder: string | undefined;

/**
 * Where workers find what others have compiled of Coffer's own modules: half of a short job is the start of its process.
 * The folder is this process's own, for its user alone, goes with it, and has code in it, never media. A worker needs no
 * folder: without one it compiles for itself.
 */
function compiledCode(): { readonly NODE_COMPILE_CACHE?: string } {
  // Where this process was given a folder, workers have the same.
  codeFolder ??= process.env['NODE_COMPILE_CACHE'];
  if (codeFolder === undefined) {
    let folder: string;
    try {
      folder = mkdtempSync(join(tmpdir(), 'coffer-code-'));
    } catch {
      return {};
    }
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    codeFolder = folder;
  }
  return { NODE_COMPILE_CACHE: codeFolder };
}
