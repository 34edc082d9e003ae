import { readFile } from 'node:fs/promises';
import type { MediaconvertContext } from '#services/mediaconvert/context.ts';
import { type SupportVersions, supportReport } from '#services/mediaconvert/support/support-report.ts';
import { AdministrationError } from './administration-error.ts';

interface PackageFacts {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * What an operator reads of a job that its owner has shared (`CreateResourceShare`).
 *
 * @param given the job's id or its ARN
 * @throws AdministrationError where there is no such job, or nobody shares it
 */
export async function reportForSupport(
  { store, rootKey }: Pick<MediaconvertContext, 'store' | 'rootKey'>,
  given: string,
): Promise<object> {
  const id = given.slice(given.lastIndexOf('/') + 1);
  const job = await store.findAnywhere(id);
  if (job === undefined) throw new AdministrationError(`There is no MediaConvert job ${id}.`);
  const report = supportReport(rootKey, job, await readVersions());
  if (report === undefined) {
    throw new AdministrationError(`The job ${id} is not shared. Who owns it shares it with CreateResourceShare.`);
  }
  return report;
}

async function readVersions(): Promise<SupportVersions> {
  const file = new URL('../package.json', import.meta.url);
  const { version = '?', optionalDependencies = {} } = JSON.parse(await readFile(file, 'utf8')) as PackageFacts;
  return { coffer: version, node: process.versions.node, nodeAv: optionalDependencies['node-av'] ?? '?' };
}
