import { parseArn } from '#kernel/arn.ts';
import { isAccountId } from '#kernel/ids.ts';
import { type LeastPolicy, leastPolicy } from '#policy/least-policy.ts';
import { validateDocument } from '#services/accessanalyzer/domain/validate-document.ts';
import { AuthorizationFacts } from '#services/accessanalyzer/facts/authorization-facts.ts';
import type { CloudTrailLog } from '#services/cloudtrail/api.ts';
import { type PrincipalUse, TooManyAccessesError } from '#services/cloudtrail/domain/used-accesses.ts';
import type { PrincipalUses } from '#services/cloudtrail/principal-uses.ts';
import { AdministrationError } from './administration-error.ts';
import type { ControlReply } from './control-protocol.ts';

/** The answer to `coffer least-privilege`. */
export interface LeastPrivilege {
  readonly principal: string;
  readonly policy: LeastPolicy['document'];
  /** Different accesses that the policy covers. */
  readonly accesses: number;
  readonly requests: number;
  readonly refused: number;
  /** What the log could not tell, and what the policy therefore leaves open. */
  readonly notes: readonly string[];
  /** What ValidatePolicy finds. */
  readonly findings: readonly { readonly issueCode: string; readonly findingDetails: string }[];
}

export interface LeastPrivilegeRequest {
  readonly principal: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** @throws AdministrationError */
export async function* writeLeastPrivilege(
  request: LeastPrivilegeRequest,
  parts: { readonly uses: PrincipalUses; readonly log: CloudTrailLog },
): AsyncGenerator<ControlReply> {
  const { principal, from, to } = request;
  const arn = parseArn(principal);
  if (arn?.service !== 'iam' || !isAccountId(arn.account) || !/^(?:role|user)\//.test(arn.resource)) {
    throw new AdministrationError(`'${principal}' is not the ARN of a role or user.`);
  }
  if (from > to) throw new AdministrationError('--since is later than --until.');
  await parts.log.flush();
  try {
    for await (const step of parts.uses.collect({ account: arn.account, principal, from, to })) {
      if (step.kind === 'progress') yield { type: 'progress', done: step.events, what: 'events read' };
      else yield { type: 'item', value: await answerOf(principal, step.use) };
    }
  } catch (error) {
    throw error instanceof TooManyAccessesError ? new AdministrationError(error.message) : error;
  }
}

async function answerOf(principal: string, use: PrincipalUse): Promise<LeastPrivilege> {
  const { accesses, requests, refused } = use;
  const policy = leastPolicy(accesses);
  const text = JSON.stringify(policy.document);
  const found =
    accesses.length === 0 ? [] : await validateDocument(text, 'identity', undefined, new AuthorizationFacts());
  const findings = found.map(({ code, details }) => ({ issueCode: code, findingDetails: details }));
  const notes = notesOf(use, policy);
  return { principal, policy: policy.document, accesses: accesses.length, requests, refused, notes, findings };
}

function notesOf(use: PrincipalUse, { generalised, size, fits }: LeastPolicy): string[] {
  const notes: string[] = [];
  const { accesses, refused, withoutAccesses, inferredKeys, cut, damaged } = use;
  if (accesses.length === 0)
    notes.push(
      'The log has no allowed access of this principal in that time: the policy is empty, and IAM takes no empty policies.',
    );
  if (refused > 0)
    notes.push(
      `${refused} requests were refused. What they asked for is not in the policy; coffer explain says what it was.`,
    );
  const others = Object.entries(withoutAccesses).map(([name, count]) => `${name} (${count})`);
  if (others.length > 0) {
    notes.push(
      `Without an access in the log, as they need none or were recorded by an earlier version: ${others.join(', ')}.`,
    );
  }
  if (inferredKeys.length > 0) {
    notes.push(
      `Used with a data key that was at hand, so that the action is taken from the operation: ${inferredKeys.join(', ')}.`,
    );
  }
  if (accesses.some(({ action }) => action === 'iam:PassRole')) {
    notes.push('To which services roles were passed is not in the log: consider a condition on iam:PassedToService.');
  }
  if (accesses.some(({ resource }) => resource === '*')) {
    notes.push('Some actions take no resources, and stand with "*".');
  }
  if (generalised > 0) {
    const what = generalised === 1 ? 'folder' : 'bucket or kind';
    notes.push(
      `There are too many resources for one role: those of one ${what} were put together with a wildcard, which allows more than was used.`,
    );
  }
  if (!fits)
    notes.push(
      `The policy has ${size} characters; a role holds 10240 in inline policies. Divide it into managed policies.`,
    );
  if (cut > 0) notes.push(`${cut} requests had more accesses than the log keeps of one.`);
  if (damaged > 0)
    notes.push(`${damaged} events were changed outside of Coffer, and not counted. coffer verify names them.`);
  notes.push(
    'What the principal may need and has not done in that time, the log cannot know; nor which conditions it could bear.',
  );
  return notes;
}
