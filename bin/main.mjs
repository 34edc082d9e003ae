// The command line's entry: what Node compiles of all that follows is kept, of the first module already. Plain JavaScript,
// as without the cache TypeScript costs each command, `coffer env` in every new shell too, a tenth of a second.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// What is written is this user's alone, also in a data folder that others may look into.
process.umask(0o077);
// Beside the packages: in no folder that others may write.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/coffer', import.meta.url)));
await import('./coffer.ts');
