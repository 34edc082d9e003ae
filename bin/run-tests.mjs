// Runs the tests on the pinned Node: all of them, or the files that are named.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const named = process.argv.slice(2);
const patterns = named.length > 0 ? named : ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/**/*.test.ts'];
// Every test file is a process. One more than there are processors: live streams and restarts mostly wait.
const concurrency = availableParallelism() + 1;
const args = ['--test', '--test-timeout=300000', `--test-concurrency=${concurrency}`, ...patterns];
// With the cache they start in half the time, and so do the media workers that they start.
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'coffer') };
const result = spawnSync(join(root, 'node_modules', '.bin', 'node'), args, { cwd: root, stdio: 'inherit', env });
process.exit(result.status ?? 1);
