import { type Event, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type { Narrator } from './narrator.ts';
import type { Stage } from './stage.ts';

interface TrailEvent {
  readonly userIdentity?: { readonly arn?: string; readonly invokedBy?: string };
  readonly errorCode?: string;
}

/** Groups the key's events by who, through which service, what, and how it ended. */
export async function showTrail(stage: Stage, narrator: Narrator, keyArn: string): Promise<void> {
  const counts = new Map<string, number>();
  let total = 0;
  let NextToken: string | undefined;
  do {
    const page = await stage.cloudTrail.send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: keyArn }],
        ...(NextToken === undefined ? {} : { NextToken }),
      }),
    );
    for (const event of page.Events ?? []) {
      total += 1;
      const line = describe(event, stage.accountId);
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const lines = [...counts].sort(([, left], [, right]) => right - left);
  for (const [line, count] of lines) narrator.step(`${String(count).padStart(5)} × ${line}`);
  narrator.claim(
    'The trail names the role, the service that it came through, and the refusals',
    lines.some(([line]) => line.includes(stage.roleName) && line.includes('s3.')) &&
      lines.some(([line]) => line.includes('refused')),
    `${total} events of ${keyArn}`,
  );
}

function describe(event: Event, accountId: string): string {
  const detail = JSON.parse(event.CloudTrailEvent ?? '{}') as TrailEvent;
  const who = (detail.userIdentity?.arn ?? 'the service itself')
    .replace(/^arn:aws:(iam|sts)::\d+:/, '')
    // Sessions differ from job to job; the story is about the role.
    .replace(/^(assumed-role\/[^/]+)\/.*/, '$1');
  const via = detail.userIdentity?.arn && detail.userIdentity.invokedBy;
  const result = detail.errorCode === undefined ? '' : `  → refused: ${detail.errorCode}`;
  return `${event.EventName} by ${who === 'root' ? `root of ${accountId}` : who}${via === undefined ? '' : ` through ${via}`}${result}`;
}
