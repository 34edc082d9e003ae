import type { CompiledPolicy } from '#policy/compile-policy.ts';

/** The services of this platform, by what their actions begin with, and as AWS calls them. */
export const SERVICE_NAMES: Readonly<Record<string, string>> = {
  'access-analyzer': 'AWS IAM Access Analyzer',
  cloudtrail: 'AWS CloudTrail',
  'execute-api': 'Amazon API Gateway',
  iam: 'AWS Identity and Access Management',
  kinesisvideo: 'Amazon Kinesis Video Streams',
  kms: 'AWS Key Management Service',
  mediaconnect: 'AWS Elemental MediaConnect',
  mediaconvert: 'AWS Elemental MediaConvert',
  s3: 'Amazon S3',
  secretsmanager: 'AWS Secrets Manager',
  sts: 'AWS Security Token Service',
};

/**
 * Whether a policy allows anything of a service. As in AWS's reports, neither denials nor other kinds of policies are
 * looked at: it tells where a right comes from, not whether it would hold.
 *
 * @param namespace in lower case
 */
export function grantsAnythingOf(policy: CompiledPolicy, namespace: string): boolean {
  return policy.document.statements.some((statement) => {
    if (statement.effect !== 'Allow') return false;
    const actions = statement.actions.map((action) => action.toLowerCase());
    if (!statement.isNotAction) return actions.some((action) => namesService(action, namespace));
    return !actions.some((action) => action === '*' || action === `${namespace}:*`);
  });
}

/** Before the colon of an action stands a service's name or nothing: `*` alone means all of them. */
function namesService(action: string, namespace: string): boolean {
  return action === '*' || action.startsWith(`${namespace}:`);
}
