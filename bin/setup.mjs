// Installs what is missing before the real script runs. Plain JavaScript without dependencies: it must start on any
// Node that comes with npm, on a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isWindows = process.platform === 'win32';
const pinnedNode = join(root, 'node_modules', '.bin', isWindows ? 'node.cmd' : 'node');

if (!isInstalled()) install();

/** Whether npm's own note of what it installed has every package that the lock file asks for, in the same version. */
function isInstalled() {
  if (!existsSync(pinnedNode)) return false;
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  // Optional packages (FFmpeg, builds for other systems) may be missing.
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

function install() {
  console.error('Installing the packages that Coffer needs (once) …');
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file that was made where the optional builds for other systems could not be looked up.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: isWindows });
  if (result.status !== 0) {
    console.error('npm could not install the packages; its messages are above.');
    process.exit(result.status ?? 1);
  }
}
