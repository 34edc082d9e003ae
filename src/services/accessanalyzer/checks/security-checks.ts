import type { Report } from '../domain/finding.ts';
import type { ReadStatement } from '../domain/read-policy.ts';
import { type CheckedPolicy, hasWildcard, namesAction } from './checked-policy.ts';

const USE_ARNS = 'We recommend that you specify resource ARNs instead.';
const USE_KEY =
  'We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement.';

/** Rights that lead to others: passing any role, making any service-linked role. */
export function checkEscalation({ policy, kind }: CheckedPolicy, report: Report): void {
  if (kind !== 'identity') return;
  for (const statement of policy.statements) {
    if (statement.effect !== 'Allow') continue;
    const isBound = statement.conditions.some(({ name }) => name.toLowerCase() === 'iam:passedtoservice');
    if (!isBound) checkPassRole(statement, report);
    checkServiceLinkedRole(statement, report);
  }
}

interface Breadth {
  readonly by: 'action' | 'star' | 'not-action';
  readonly over: 'star' | 'not-resource';
}

/** How a statement allows an action on more than named resources; `undefined` where it does not. */
function breadthOf(statement: ReadStatement, name: string): Breadth | undefined {
  const { action, resource } = statement;
  if (action === undefined || resource === undefined) return undefined;
  const named = namesAction(statement, name);
  const isNegated = action.name === 'NotAction';
  if (isNegated ? named !== undefined : named === undefined) return undefined;
  const by = isNegated ? 'not-action' : hasWildcard(named?.text ?? '') ? 'star' : 'action';
  if (resource.name === 'NotResource') return { by, over: 'not-resource' };
  const isBroad = resource.values.some(
    ({ text }) => text === '*' || /^arn:[^:]*:(?:iam|\*):[^:]*:[^:]*:(?:\*|role\/?\*)$/.test(text),
  );
  return isBroad ? { by, over: 'star' } : undefined;
}

function checkPassRole(statement: ReadStatement, report: Report): void {
  const breadth = breadthOf(statement, 'iam:PassRole');
  const { action, resource } = statement;
  if (breadth === undefined || action === undefined || resource === undefined) return;
  const { code, details } = PASS_ROLE[`${breadth.by} ${breadth.over}`];
  report.securityWarning(code, details, action.place, resource.place);
}

function checkServiceLinkedRole(statement: ReadStatement, report: Report): void {
  const breadth = breadthOf(statement, 'iam:CreateServiceLinkedRole');
  const { action, resource } = statement;
  if (breadth === undefined || action === undefined || resource === undefined) return;
  const { code, details } = CREATE_SLR[`${breadth.by} ${breadth.over}`];
  report.warning(code, details, action.place, resource.place);
}

type Case = `${Breadth['by']} ${Breadth['over']}`;
type Texts = Readonly<Record<Case, { readonly code: string; readonly details: string }>>;

const PASS_ROLE: Texts = {
  'action star': {
    code: 'PASS_ROLE_WITH_STAR_IN_RESOURCE',
    details: `Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows iam:PassRole permissions on multiple resources. ${USE_KEY}`,
  },
  'star star': {
    code: 'PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE',
    details: `Using wildcards (*) in the action and the resource can be overly permissive because it allows iam:PassRole permissions on all resources. ${USE_KEY}`,
  },
  'not-action star': {
    code: 'PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION',
    details: `Using a resource with wildcards (*) and NotAction can be overly permissive because it allows iam:PassRole permissions on all resources. ${USE_KEY}`,
  },
  'action not-resource': {
    code: 'PASS_ROLE_WITH_NOT_RESOURCE',
    details: `Using the iam:PassRole action with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. ${USE_ARNS}`,
  },
  'star not-resource': {
    code: 'PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE',
    details: `Using an action with a wildcard (*) and NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. ${USE_ARNS}`,
  },
  'not-action not-resource': {
    code: 'PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE',
    details: `Using NotAction with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. ${USE_ARNS}`,
  },
};

const CREATE_SLR: Texts = {
  'action star': {
    code: 'CREATE_SLR_WITH_STAR_IN_RESOURCE',
    details: `Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource can allow creation of unintended service-linked roles. ${USE_ARNS}`,
  },
  'star star': {
    code: 'CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE',
    details: `Using wildcards (*) in the action and the resource can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all resources. ${USE_ARNS}`,
  },
  'not-action star': {
    code: 'CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION',
    details: `Using a resource with wildcards (*) and NotAction can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all resources. ${USE_ARNS}`,
  },
  'action not-resource': {
    code: 'CREATE_SLR_WITH_NOT_RESOURCE',
    details: `Using the iam:CreateServiceLinkedRole action with NotResource can allow creation of unintended service-linked roles for multiple resources. ${USE_ARNS}`,
  },
  'star not-resource': {
    code: 'CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE',
    details: `Using an action with a wildcard(*) and NotResource can allow creation of unintended service-linked roles because it can allow iam:CreateServiceLinkedRole permissions on multiple resources. ${USE_ARNS}`,
  },
  'not-action not-resource': {
    code: 'CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE',
    details: `Using NotAction with NotResource can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on multiple resources. ${USE_ARNS}`,
  },
};
