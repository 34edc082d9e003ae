import type { AccessEvaluation, EvaluatedPolicy, EvaluatedStatement } from '#kernel/access-evaluation.ts';
import type { Grant } from '#policy/suggest-grants.ts';
import type { CommandLineOptions } from '../config.ts';
import type { ExplainedAccess, ExplainedRequest } from '../explain.ts';
import { runOperatorCommand } from '../operator-command.ts';
import { printable } from '../printable.ts';
import { shellWord } from '../shell-word.ts';

/** Prints how a refused request was decided, and what would have allowed it. */
export async function explain(
  subject: string,
  options: CommandLineOptions & { readonly json?: boolean },
): Promise<void> {
  const requests: ExplainedRequest[] = [];
  for await (const value of runOperatorCommand(options, { command: 'explain', subject })) {
    requests.push(value as ExplainedRequest);
  }
  console.log(options.json === true ? JSON.stringify(requests, null, 2) : requests.map(requestText).join('\n\n'));
}

function requestText(request: ExplainedRequest): string {
  const { requestId, parentRequestId, time, service, operation, errorCode, errorMessage, accesses, source } = request;
  const lines: string[] = [];
  if (source === 'audit-log') {
    const through = parentRequestId === undefined ? '' : ` (for request ${parentRequestId})`;
    lines.push(
      `Request ${requestId ?? ''}${through}`,
      `${time ?? ''}  ${service ?? ''}  ${operation ?? ''}  ${errorCode ?? ''}`,
    );
    if (errorMessage !== undefined) lines.push(printable(errorMessage));
  }
  if (accesses.length === 0) lines.push('', 'No policy refused this request itself.');
  for (const access of accesses) lines.push('', ...accessLines(access, source === 'message'));
  return lines.join('\n');
}

function accessLines({ evaluation, grants, denials }: ExplainedAccess, isMessage: boolean): string[] {
  const { principal, action, resource, reason, policies, isShortened, conditions } = evaluation;
  const lines = [
    `${printable(principal.arn)} may not ${action} on ${printable(resource)}`,
    `  ${evaluation.isExplicitDeny ? reason : `because ${reason}`}`,
    '',
  ];
  if (isMessage) {
    lines.push('A message does not hold which policies were looked at; the audit log does, by the request’s id.', '');
    lines.push('The request had:');
    for (const [key, value] of Object.entries(conditions)) lines.push(`  ${printable(key)} = ${valuesText(value)}`);
  } else {
    lines.push('Policies that were looked at:');
    if (policies.length === 0) lines.push('  none: there are none');
    for (const policy of policies) lines.push(...policyLines(policy, evaluation));
    if (isShortened) lines.push('  (not all of it is in the record: it was too long)');
  }
  lines.push('', ...remedyLines({ evaluation, grants, denials }));
  return lines;
}

function policyLines(policy: EvaluatedPolicy, { decidedBy }: AccessEvaluation): string[] {
  const { type, name, exists, statementCount, statements } = policy;
  const lines = [`  ${TYPES[type]} ${printable(name)}${exists ? '' : ': there is none'}`];
  for (const statement of statements) {
    const isDecider =
      type === decidedBy?.policyType && name === decidedBy.policyName && statement.index === decidedBy.statementIndex;
    lines.push(...statementLines(statement, isDecider));
  }
  if (statements.length < statementCount)
    lines.push(`      ${statementCount - statements.length} more, about other things`);
  return lines;
}

const TYPES: Readonly<Record<EvaluatedPolicy['type'], string>> = {
  'identity-based': 'identity policy',
  'resource-based': 'resource policy',
  'permissions-boundary': 'permissions boundary',
  session: 'session policy',
  'role-trust': 'trust policy',
  'key-grant': 'grant',
  acl: 'access control list',
};

const OUTCOMES: Readonly<Record<EvaluatedStatement['outcome'], string>> = {
  applies: 'applies',
  'other-principal': 'about other principals',
  'other-action': 'about other actions',
  'other-resource': 'about other resources',
  'unmet-condition': 'a condition is not met',
};

function statementLines(statement: EvaluatedStatement, isDecider: boolean): string[] {
  const { index, sid, effect, outcome, actions, resources, isNotAction, isNotResource, conditions = [] } = statement;
  const name = sid === undefined || sid === '' ? '' : ` ${printable(sid)}`;
  const lines = [
    `    ${isDecider ? '>' : ' '} [${index}]${name} ${effect}: ${OUTCOMES[outcome]}${isDecider ? ', and decides' : ''}`,
  ];
  if (actions !== undefined)
    lines.push(`        ${isNotAction === true ? 'NotAction' : 'Action'} ${valuesText(actions)}`);
  if (resources !== undefined && resources.length > 0) {
    lines.push(`        ${isNotResource === true ? 'NotResource' : 'Resource'} ${valuesText(resources)}`);
  }
  for (const { operator, key, values, seen, isMet } of conditions) {
    const has = seen === undefined ? 'the request has none' : `the request has ${valuesText(seen)}`;
    lines.push(`        ${isMet ? 'met' : 'NOT met'}: ${operator} ${printable(key)} ${valuesText(values)} (${has})`);
  }
  return lines;
}

function valuesText(value: string | readonly string[]): string {
  if (typeof value === 'string') return printable(value);
  return value.length === 1 ? printable(value[0] ?? '') : `[${value.map(printable).join(', ')}]`;
}

function remedyLines({ evaluation, grants, denials }: ExplainedAccess): string[] {
  if (evaluation.isExplicitDeny) {
    const which = denials.map(({ policy, type, index, sid }) => {
      return `  statement ${sid === undefined ? index : printable(sid)} of ${printable(policy)} (${type})`;
    });
    return [
      'A statement denies it, and no other statement helps against that. It has to go, or not to apply:',
      ...which,
    ];
  }
  if (grants.length === 0) return ['Nothing that a policy here could say would allow it.'];
  const lines = [grants.length === 1 ? 'This would allow it:' : 'These together would allow it:'];
  for (const grant of grants) {
    lines.push('', `  in ${printable(grant.where)}:`, ...indented(JSON.stringify(grant.statement, null, 2), '    '));
    const how = commandFor(grant, evaluation);
    if (how !== undefined) lines.push('', `  ${how}`);
  }
  return lines;
}

function indented(text: string, by: string): string[] {
  return text.split('\n').map((line) => by + line);
}

/** How to put it there: a whole command where that replaces nothing, else what to read and write. */
function commandFor({ place, owner = '', statement }: Grant, { action }: AccessEvaluation): string | undefined {
  const name = shellWord(owner.split('/').at(-1) ?? '');
  const document = shellWord(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  const policyName = shellWord(`allow-${action.replace(':', '-')}`);
  switch (place) {
    case 'identity': {
      const kind = /:role\//.test(owner) ? 'role' : /:user\//.test(owner) ? 'user' : undefined;
      if (kind === undefined) return undefined;
      return `aws iam put-${kind}-policy --${kind}-name ${name} --policy-name ${policyName} --policy-document ${document}`;
    }
    case 'trust':
      return `(aws iam get-role --role-name ${name}, then update-assume-role-policy with this statement added)`;
    case 'boundary':
      return `(aws iam get-policy-version, then create-policy-version --policy-arn ${shellWord(owner)} with this statement added)`;
    case 'session':
      return '(AssumeRole with a Policy that has this statement, or with none)';
    case 'resource':
      if (owner.startsWith('arn:aws:s3:')) {
        const bucket = shellWord(owner.replace(/^arn:aws:s3:::/, ''));
        return `(aws s3api get-bucket-policy --bucket ${bucket}, then put-bucket-policy with this statement added)`;
      }
      if (owner.startsWith('arn:aws:kms:')) {
        return `(aws kms get-key-policy --key-id ${shellWord(owner)}, then put-key-policy with this statement added)`;
      }
      return `(aws secretsmanager get-resource-policy --secret-id ${shellWord(owner)}, then put-resource-policy with this statement added)`;
  }
}
