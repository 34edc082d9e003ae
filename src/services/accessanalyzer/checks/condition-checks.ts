import { isConditionOperator } from '#policy/condition.ts';
import { type Report, shown } from '../domain/finding.ts';
import type { ReadCondition, ReadStatement } from '../domain/read-policy.ts';
import { type KeyPattern, type KeyType, matchesKey, type ServiceFacts } from '../facts/authorization-facts.ts';
import { actionsNamed } from './action-checks.ts';
import { type CheckedPolicy, meant, splitAction } from './checked-policy.ts';
import { checkOperands } from './operand-checks.ts';

/** Keys of identity providers, which begin with the provider's name, and those of SAML. */
const PROVIDER_KEY = /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?:\/[^:]*)?:|^saml:/i;
const TAG_KEYS = ['aws:resourcetag', 'aws:requesttag', 'aws:principaltag'];
const OPERATORS = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
  'NumericEquals',
  'NumericNotEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'DateEquals',
  'DateNotEquals',
  'DateLessThan',
  'DateLessThanEquals',
  'DateGreaterThan',
  'DateGreaterThanEquals',
  'Bool',
  'BinaryEquals',
  'IpAddress',
  'NotIpAddress',
  'ArnEquals',
  'ArnLike',
  'ArnNotEquals',
  'ArnNotLike',
  'Null',
];

/** A condition operator taken apart. */
export interface OperatorParts {
  /** Without prefix and suffix, in lower case. */
  readonly base: string;
  readonly quantifier: '' | 'forallvalues' | 'foranyvalue';
  readonly isIfExists: boolean;
}

function operatorParts(operator: string): OperatorParts {
  const [, quantifier = '', base = '', suffix] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/is.exec(operator) ?? [];
  return {
    base: base.toLowerCase(),
    quantifier: quantifier.toLowerCase() as OperatorParts['quantifier'],
    isIfExists: suffix !== undefined,
  };
}

/** Whether conditions ask for what requests have, in the right way. */
export function checkConditions(checked: CheckedPolicy, report: Report): void {
  for (const statement of checked.policy.statements) {
    checkDoubles(statement.conditions, report);
    for (const condition of statement.conditions) {
      const parts = operatorParts(condition.operator);
      const key = checkKey(condition, checked, report);
      if (!checkOperator(condition, parts, checked, report)) continue;
      if (key !== undefined) checkQuantifier(condition, key, parts, report);
      checkOperands(condition, key, parts, report);
      checkSupply(statement, condition, checked, report);
    }
  }
}

/** Names of keys are the same whatever their case. */
function checkDoubles(conditions: readonly ReadCondition[], report: Report): void {
  const seen = new Set<string>();
  for (const { operator, name, namePlace } of conditions) {
    const id = `${operator}\n${name.toLowerCase()}`;
    if (seen.has(id)) {
      const details = `The condition key ${shown(name)} appears more than once with different capitalization in the same condition block. Remove the duplicate condition keys.`;
      report.error('DUPLICATE_KEYS_WITH_DIFFERENT_CASE', details, namePlace);
    }
    seen.add(id);
  }
}

/** @returns false for operators that there are not */
function checkOperator(
  { operator, operatorPlace }: ReadCondition,
  parts: OperatorParts,
  { work }: CheckedPolicy,
  report: Report,
): boolean {
  if (parts.base === 'null') {
    if (parts.isIfExists) {
      const details =
        'The Null condition operator cannot be used with the IfExists suffix. Update the operator or the suffix.';
      report.error('NULL_WITH_IF_EXISTS', details, operatorPlace);
      return false;
    }
    if (parts.quantifier !== '') {
      const details =
        'Avoid using the Null condition operator with the ForAllValues or ForAnyValue qualifiers because they always return a true or false respectively.';
      report.suggestion('NULL_WITH_QUALIFIER', details, operatorPlace);
    }
    return true;
  }
  if (isConditionOperator(operator)) return true;
  const hint = hintOf(meant(parts.base, OPERATORS, work));
  const details = `The condition operator ${shown(operator)} is not valid. Use a valid condition operator.${hint}`;
  report.error('INVALID_CONDITION_OPERATOR', details, operatorPlace);
  return false;
}

/** @returns what is known of the key, where there is such a key */
function checkKey(condition: ReadCondition, checked: CheckedPolicy, report: Report): KeyType | undefined {
  const { name, namePlace } = condition;
  const lower = name.toLowerCase();
  const [prefix = ''] = lower.split(':', 1);
  if (!/^[^:\s]+:./.test(name)) {
    const details = 'The condition key format is not valid. Use the format service:keyname.';
    report.error('INVALID_CONDITION_KEY_FORMAT', details, namePlace);
    return undefined;
  }
  if (lower === 'aws:arn') {
    const details = 'We recommend that you update aws:ARN to use the newer condition key aws:PrincipalArn.';
    report.warning('DEPRECATED_GLOBAL_CONDITION_KEY', details, namePlace);
    return undefined;
  }
  if (TAG_KEYS.some((tag) => lower === tag || lower === `${tag}/`)) {
    const details = `The condition key ${name} must include a tag key to control access based on tags. Use the format ${name.replace(/\/$/, '')}/tag-key and specify a key name for tag-key.`;
    report.error('MISSING_TAG_KEY_IN_CONDITION', details, namePlace);
    return undefined;
  }
  const key = checked.keys.get(lower);
  if (key !== undefined || PROVIDER_KEY.test(name)) return key;
  const service = checked.services.get(prefix);
  if (prefix === 'aws') {
    const right = meant(name, GLOBAL_KEYS, checked.work);
    const details = `The condition key ${shown(name)} does not exist. Use a valid condition key.${hintOf(right)}`;
    report.error('INVALID_GLOBAL_CONDITION_KEY', details, namePlace);
  } else if (service === undefined) {
    const details = `The condition key ${shown(name)} does not exist in the service ${shown(prefix)}. Use a valid condition key.${hintOf(meant(prefix, checked.prefixes, checked.work))}`;
    report.error('INVALID_SERVICE_CONDITION_KEY', details, namePlace);
  } else {
    const spelled = service.conditionKeys.map((known) => known.replace(/\/(?:\$\{|<).*$/, ''));
    const right = meant(name.replace(/\/.*$/, ''), spelled, checked.work);
    const details = `The condition key ${shown(name)} does not exist in the service ${prefix}. Use a valid condition key.${hintOf(right)}`;
    report.error('INVALID_SERVICE_CONDITION_KEY', details, namePlace);
  }
  return undefined;
}

function hintOf(right: string | undefined): string {
  return right === undefined ? '' : ` Did you mean ${right}?`;
}

const GLOBAL_KEYS = [
  'aws:CalledVia',
  'aws:CalledViaFirst',
  'aws:CalledViaLast',
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:FederatedProvider',
  'aws:MultiFactorAuthAge',
  'aws:MultiFactorAuthPresent',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalOrgID',
  'aws:PrincipalServiceName',
  'aws:PrincipalTag',
  'aws:PrincipalType',
  'aws:Referer',
  'aws:RequestedRegion',
  'aws:RequestTag',
  'aws:ResourceAccount',
  'aws:ResourceTag',
  'aws:SecureTransport',
  'aws:SourceAccount',
  'aws:SourceArn',
  'aws:SourceIdentity',
  'aws:SourceIp',
  'aws:SourceVpce',
  'aws:TagKeys',
  'aws:TokenIssueTime',
  'aws:UserAgent',
  'aws:userid',
  'aws:username',
  'aws:ViaAWSService',
];

function checkQuantifier({ operatorPlace }: ReadCondition, key: KeyType, parts: OperatorParts, report: Report): void {
  if (parts.base === 'null') return;
  if (key.isList && parts.quantifier === '') {
    const details = `The request context key ${key.key} has multiple values. Use the ForAllValues or ForAnyValue condition key qualifiers in your policy.`;
    report.error('MISSING_QUALIFIER', details, operatorPlace);
  } else if (!key.isList && parts.quantifier === 'forallvalues') {
    const details = `Using ForAllValues qualifier with the single-valued condition key ${key.key} can be overly permissive. We recommend that you remove ForAllValues:.`;
    report.securityWarning('FORALLVALUES_WITH_SINGLE_VALUED_KEY', details, operatorPlace);
  }
}

/** A service's own key is there only for the actions that supply it. */
function checkSupply(statement: ReadStatement, condition: ReadCondition, checked: CheckedPolicy, report: Report): void {
  const key = condition.name.toLowerCase();
  const [prefix = ''] = key.split(':', 1);
  const owner = checked.services.get(prefix);
  const { action } = statement;
  if (owner === undefined || action?.name !== 'Action' || checked.keys.get(key) === undefined) return;
  // Global in spite of their names: credentials of roles that these services hand out carry them.
  if (/^(?:ec2|glue|lambda|ssm|identitystore):(?:Role|Source|Credential|UserId)/i.test(condition.name)) return;
  const without: string[] = [];
  for (const { text } of action.values) {
    const parts = splitAction(text);
    const service = parts && checked.services.get(parts.prefix.toLowerCase());
    if (parts === undefined || service === undefined) continue;
    const named = actionsNamed(service, parts.name, checked.work);
    if (named === undefined || named.length === 0) continue;
    const supplies = named.some((item) => {
      const ofResources = item.resourceTypes.flatMap((type) => service.resourceTypes.get(type)?.conditionKeys ?? []);
      return has([...item.conditionKeys, ...ofResources], key);
    });
    if (!supplies && !isUnlisted(service, key)) without.push(text);
  }
  if (without.length === 0) return;
  const details = `The following actions: ${without.slice(0, 20).map(shown).join(', ')} are not supported by the condition key ${shown(condition.name)}. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key.`;
  report.error('UNSUPPORTED_ACTION_FOR_CONDITION_KEY', details, condition.namePlace);
}

function has(patterns: readonly KeyPattern[], key: string): boolean {
  return patterns.some((pattern) => matchesKey(pattern, key));
}

/** A key of the service that none of its actions lists: nothing can be said of those. */
function isUnlisted({ prefix, actions, resourceTypes }: ServiceFacts, key: string): boolean {
  if (!key.startsWith(`${prefix}:`)) return false;
  return ![...actions.values(), ...resourceTypes.values()].some(({ conditionKeys }) => has(conditionKeys, key));
}
