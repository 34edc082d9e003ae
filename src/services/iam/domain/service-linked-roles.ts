import { formatArn } from '#kernel/arn.ts';

/** A role that a service acts with, in an account that uses it: what the service may do there, and nothing more. */
export interface ServiceLinkedRole {
  /** The one principal that may assume it. */
  readonly service: string;
  readonly roleName: string;
  readonly path: string;
  readonly description: string;
  readonly policyName: string;
  trustPolicyIn(account: string): string;
  policyIn(account: string): string;
}

const KEY_PROVIDER = 'execute-api.amazonaws.com';

/** By the service's name. */
export const serviceLinkedRoles: ReadonlyMap<string, ServiceLinkedRole> = new Map([
  [
    KEY_PROVIDER,
    {
      service: KEY_PROVIDER,
      roleName: 'AWSServiceRoleForCofferKeyProvider',
      path: `/aws-service-role/${KEY_PROVIDER}/`,
      description: 'Lets the SPEKE key provider keep content keys in Secrets Manager.',
      policyName: 'KeepContentKeys',
      trustPolicyIn: (account) =>
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: KEY_PROVIDER },
              Action: 'sts:AssumeRole',
              Condition: { StringEquals: { 'aws:SourceAccount': account } },
            },
          ],
        }),
      policyIn: (account) =>
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'ContentKeys',
              Effect: 'Allow',
              Action: ['secretsmanager:CreateSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
              Resource: formatArn({ service: 'secretsmanager', region: '*', account, resource: 'secret:speke/*' }),
            },
          ],
        }),
    },
  ],
]);

/**
 * Who may make a role for a service, beside those whose own policies say so: the service itself, when an account first
 * uses it.
 */
export function creationPolicyOf({ service }: ServiceLinkedRole): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: service }, Action: 'iam:CreateServiceLinkedRole', Resource: '*' },
    ],
  });
}
