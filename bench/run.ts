import { benchKinesisVideo } from './kinesis-video.ts';
import { benchKinesisVideoList } from './kinesis-video-list.ts';
import { benchKms, benchKmsAmongMany, benchKmsBesidePeer } from './kms.ts';
import { benchLiveFlows } from './live/live-flows.ts';
import { benchJobs } from './media/jobs.ts';
import { benchLadder } from './media/ladder.ts';
import { benchRemux } from './media/remux.ts';
import { benchTranscode } from './media/transcode.ts';
import { benchListings } from './listings.ts';
import { benchMemory } from './memory.ts';
import { benchObjects } from './objects.ts';
import { benchPackaging } from './packaging.ts';
import { benchRanges } from './ranges.ts';
import { isMet, type Result } from './result.ts';
import { benchPolicy } from './policy.ts';
import { benchStartUp } from './start-up.ts';

/** `npm run bench [-- NAME …] [--json]`: measures and prints a table (standard error) and JSON (standard output). */
const benches: Readonly<Record<string, () => Promise<readonly Result[]>>> = {
  start: async () => [await benchStartUp()],
  objects: benchObjects,
  listings: () => benchListings(),
  // Takes minutes and 15 GB of disk.
  'listings-large': () => benchListings([10_000, 1_000_000, 10_000_000]),
  ranges: async () => [await benchRanges()],
  memory: benchMemory,
  kms: benchKms,
  'kms-peer': benchKmsBesidePeer,
  'kms-many': benchKmsAmongMany,
  'kinesis-video': benchKinesisVideo,
  'kinesis-video-list': async () => [await benchKinesisVideoList()],
  'live-flows': benchLiveFlows,
  policy: benchPolicy,
  packaging: () => benchPackaging(),
  transcode: () => benchTranscode(),
  ladder: () => benchLadder(),
  jobs: benchJobs,
  remux: () => benchRemux(),
};

const wanted = process.argv.slice(2).filter((name) => !name.startsWith('-'));
const unknown = wanted.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
const results: Result[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`measuring: ${name} …`);
  results.push(...(await bench()));
}
for (const result of results) {
  const { name, value, unit, target, isAtMost, detail } = result;
  const bound = `${isAtMost ? 'at most' : 'at least'} ${target}`;
  console.error(`${isMet(result) ? '✓' : '✗'} ${name.padEnd(38)} ${value.toFixed(2)} ${unit} (${bound}); ${detail}`);
}
console.log(JSON.stringify(results, null, 2));
