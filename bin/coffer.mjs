#!/usr/bin/env node
// Starts the command line on the pinned Node, whichever Node runs this file.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import './setup.mjs';

const bin = dirname(fileURLToPath(import.meta.url));
const node = join(dirname(bin), 'node_modules', '.bin', 'node');
// No debugger by a signal, and no core dump, which would put keys on the disk.
const command = [node, '--disable-sigusr1', join(bin, 'main.mjs'), ...process.argv.slice(2)];
const [file, ...args] =
  process.platform === 'win32' ? command : ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'coffer', ...command];
// A pipe that nothing is written to: it ends with this process, also when that is killed, and a server then stops.
const child = spawn(file, args, {
  stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  env: { ...process.env, COFFER_LAUNCHER_PIPE: '3' },
});
// What ends this process is the child's end, not the pipe.
child.stdio[3]?.on('error', () => {});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
