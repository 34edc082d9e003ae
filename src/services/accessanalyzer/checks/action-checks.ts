import { type Report, shown } from '../domain/finding.ts';
import type { ReadStatement, ReadValue } from '../domain/read-policy.ts';
import type { ActionFacts, ServiceFacts } from '../facts/authorization-facts.ts';
import { compileResource } from '../facts/arn-pattern.ts';
import type { Work } from '../domain/work.ts';
import {
  type CheckedPolicy,
  hasWildcard,
  matchesWildcards,
  mayIntersect,
  meant,
  splitAction,
} from './checked-policy.ts';

/** Resources and actions of one statement that are compared with one another; more are not. */
const MAX_COMPARED = 200;
const AVERAGE_LENGTH = 20;

/** Whether actions exist, and apply to the resources that they stand beside. */
export function checkActions(checked: CheckedPolicy, report: Report): void {
  for (const statement of checked.policy.statements) {
    for (const value of statement.action?.values ?? []) checkAction(value, checked, report);
    checkResourcesOfActions(statement, checked, report);
    checkActionsOfResourceType(statement, checked, report);
  }
}

function checkAction(value: ReadValue, checked: CheckedPolicy, report: Report): void {
  const { text, place } = value;
  if (text === '*') return;
  const parts = splitAction(text);
  if (parts === undefined || parts.name === '') {
    const details = `The action ${shown(text)} does not exist. Actions have the format service:action.`;
    report.error('INVALID_ACTION', details, place);
    return;
  }
  const { prefix, name } = parts;
  if (hasWildcard(prefix)) {
    const details =
      'Avoid using wildcards (*, ?) in the service name because it might grant unintended access to other AWS services with similar names.';
    report.suggestion('WILDCARD_IN_SERVICE_NAME', details, place);
    return;
  }
  const service = checked.services.get(prefix.toLowerCase());
  if (service === undefined) {
    const right = meant(prefix, checked.prefixes, checked.work);
    const details = `The service ${shown(prefix)} specified in the action does not exist.${didYouMean(right)}`;
    report.error('INVALID_SERVICE_IN_ACTION', details, place);
    return;
  }
  if (actionsNamed(service, name, checked.work)?.length !== 0) return;
  const right = meant(name, namesOf(service), checked.work);
  const elsewhere = right === undefined ? undefined : `${prefix.toLowerCase()}:${right}`;
  report.error('INVALID_ACTION', `The action ${shown(text)} does not exist.${didYouMean(elsewhere)}`, place);
}

function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : ` Did you mean ${name}?`;
}

function namesOf({ actions }: ServiceFacts): string[] {
  return [...actions.values()].map(({ name }) => name);
}

/**
 * @param name with wildcards, whatever its case
 * @returns `undefined` where finding them would take too long
 */
export function actionsNamed({ actions }: ServiceFacts, name: string, work: Work): readonly ActionFacts[] | undefined {
  const exact = actions.get(name.toLowerCase());
  if (exact !== undefined) return [exact];
  if (!hasWildcard(name)) return [];
  if (!work.spend(actions.size * name.length * AVERAGE_LENGTH)) return undefined;
  return [...actions].filter(([known]) => matchesWildcards(name, known)).map(([, action]) => action);
}

/**
 * An action that takes other kinds of resources than the statement names never applies. AWS's own checks pass over that;
 * it is the commonest mistake there is (`s3:GetObject` on a bucket, `s3:ListBucket` on its objects).
 */
function checkResourcesOfActions({ action, resource }: ReadStatement, checked: CheckedPolicy, report: Report): void {
  if (action?.name !== 'Action' || resource?.name !== 'Resource' || resource.values.length === 0) return;
  if (action.values.length * resource.values.length > MAX_COMPARED * MAX_COMPARED) return;
  const patterns = resource.values.map(({ text }) => compileResource(text));
  for (const { text, place } of action.values.slice(0, MAX_COMPARED)) {
    const { prefix = '', name = '' } = splitAction(text) ?? {};
    const service = checked.services.get(prefix.toLowerCase());
    if (service === undefined) continue;
    const named = actionsNamed(service, name, checked.work);
    if (named === undefined || named.length === 0) continue;
    const formats = typesOf(service, named);
    if (formats === undefined) continue;
    const applies = patterns.some((pattern, index) => {
      const written = resource.values[index]?.text ?? '';
      return written === '*' || formats.some((format) => mayIntersect(format.pattern, pattern, checked.work));
    });
    if (applies) continue;
    const wanted =
      formats.length === 0
        ? 'It supports only the resource "*".'
        : `It applies to resources of the form ${[...new Set(formats.map(({ arn }) => arn))].slice(0, 3).join(', ')}.`;
    const details = `The action ${shown(text)} does not apply to any resource of this statement, and has no effect. ${wanted}`;
    report.own('WARNING', 'ACTION_DOES_NOT_APPLY_TO_RESOURCE', details, place, resource.place);
  }
}

/** `undefined` where a type of one of the actions is not known. */
function typesOf(service: ServiceFacts, actions: readonly ActionFacts[]) {
  const formats = [];
  for (const name of new Set(actions.flatMap(({ resourceTypes }) => resourceTypes))) {
    const type = service.resourceTypes.get(name);
    if (type === undefined) return undefined;
    formats.push(type);
  }
  return formats;
}

/** The actions and resources that the policies of these resources can be about. */
const RESOURCE_TYPES: Readonly<Record<string, { readonly services: readonly string[]; readonly arn: RegExp }>> = {
  'AWS::S3::Bucket': { services: ['s3'], arn: /^(?:\*|arn:[^:]*:s3:::)/ },
  'AWS::S3::AccessPoint': { services: ['s3'], arn: /^(?:\*|arn:[^:]*:s3:[^:]*:[^:]*:accesspoint\/)/ },
  'AWS::S3::MultiRegionAccessPoint': { services: ['s3'], arn: /^(?:\*|arn:[^:]*:s3::[^:]*:accesspoint\/)/ },
  'AWS::S3ObjectLambda::AccessPoint': { services: ['s3-object-lambda'], arn: /^(?:\*|arn:[^:]*:s3-object-lambda:)/ },
  'AWS::DynamoDB::Table': { services: ['dynamodb'], arn: /^(?:\*|arn:[^:]*:dynamodb:)/ },
  'AWS::IAM::AssumeRolePolicyDocument': { services: ['sts'], arn: /^/ },
};

function checkActionsOfResourceType({ action, resource }: ReadStatement, checked: CheckedPolicy, report: Report): void {
  const { resourceType } = checked;
  const known = resourceType === undefined ? undefined : RESOURCE_TYPES[resourceType];
  if (known === undefined || resourceType === undefined) return;
  for (const { text, place } of action?.values ?? []) {
    const prefix = splitAction(text)?.prefix.toLowerCase();
    if (prefix === undefined || hasWildcard(prefix) || known.services.includes(prefix)) continue;
    const details = `The action ${shown(text)} is not supported for the resource-based policy attached to the resource type ${resourceType}.`;
    report.error('UNSUPPORTED_ACTION_IN_POLICY', details, place);
  }
  for (const { text, place } of resource?.values ?? []) {
    if (known.arn.test(text)) continue;
    const details = `The resource ARN is not supported for the resource-based policy attached to the resource type ${resourceType}.`;
    report.error('UNSUPPORTED_RESOURCE_ARN_IN_POLICY', details, place);
  }
}
