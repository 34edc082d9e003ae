import { parseArn } from '#kernel/arn.ts';
import type { AccessRefusal } from '#kernel/door.ts';

/** A statement of a policy, and where it has to stand. */
export interface Grant {
  /** Such as `the trust policy of arn:aws:iam::…:role/…`. */
  readonly where: string;
  readonly statement: Readonly<Record<string, unknown>>;
}

/** Something that a job lacks. */
export interface Finding {
  /** In which step of the job it is lacking. */
  readonly step: string;
  /** What was refused, in the service's words. */
  readonly problem: string;
  /** What would grant it; absent where a denying statement has to go, or no policy helps. */
  readonly grants: readonly Grant[];
}

/** Says what would grant a refused access to the role of a job. */
export function accessFinding(step: string, refusal: AccessRefusal, role: string): Finding {
  const { action, resource, message, isExplicitDeny } = refusal;
  if (isExplicitDeny) return { step, problem: message, grants: [] };
  return { step, problem: message, grants: [{ where: `a policy of ${role}`, statement: allow(action, resource) }] };
}

/** A refusal of KMS: the role's policy has to allow it, and the key's policy the role or its account. */
export function keyFinding(step: string, action: string, key: string, message: string, role: string): Finding {
  if (/explicit deny/.test(message)) return { step, problem: message, grants: [] };
  const viaService = { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' } };
  const statement = { ...allow(action, key), ...(step.includes('data key') ? {} : { Condition: viaService }) };
  const grants: Grant[] = [{ where: `a policy of ${role}`, statement }];
  const isForeign = parseArn(key)?.account !== parseArn(role)?.account;
  if (isForeign || /resource-based policy/.test(message)) {
    grants.push({
      where: `the key policy of ${key}`,
      statement: { ...allow(action, '*'), Principal: { AWS: role } },
    });
  }
  return { step, problem: message, grants };
}

/** The role does not trust the service. */
export function trustFinding(role: string, problem: string): Finding {
  return {
    step: 'assuming the role',
    problem,
    grants: [
      {
        where: `the trust policy of ${role}`,
        statement: {
          Effect: 'Allow',
          Principal: { Service: 'mediaconvert.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      },
    ],
  };
}

/** In one line each, for the message of a job that failed. */
export function findingText({ step, problem, grants }: Finding): string {
  const granted = grants.map(({ where, statement }) => `${where} would grant it with ${JSON.stringify(statement)}`);
  return `${step}: ${problem}${granted.length === 0 ? '' : ` (${granted.join('; ')})`}`;
}

function allow(action: string, resource: string): Record<string, unknown> {
  return { Effect: 'Allow', Action: action, Resource: resource };
}
