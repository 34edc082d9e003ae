import { accountOf } from '#kernel/caller.ts';
import type { Call } from '#kernel/operation.ts';
import { accessDenied } from '../errors.ts';
import type { JobRecord, JobScope } from '../store.ts';

/** The account and region in which a call acts. */
export function scopeOf(call: Call): JobScope {
  const account = accountOf(call.caller);
  if (account === undefined) throw accessDenied('Missing Authentication Token');
  return { account, region: call.region };
}

export function tagsOf(job: JobRecord | undefined): Readonly<Record<string, string>> {
  return job === undefined ? {} : (JSON.parse(job.tags) as Record<string, string>);
}
