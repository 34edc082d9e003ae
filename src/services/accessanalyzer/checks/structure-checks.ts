import type { Report } from '../domain/finding.ts';
import type { PolicyKind, ReadPolicy, ReadStatement } from '../domain/read-policy.ts';

const NAMES: Readonly<Record<PolicyKind, string>> = {
  identity: 'IDENTITY_POLICY',
  resource: 'RESOURCE_POLICY',
  trust: 'RESOURCE_POLICY',
  'service-control': 'SERVICE_CONTROL_POLICY',
  'resource-control': 'RESOURCE_CONTROL_POLICY',
};

/** What a statement must have and may not have, by the kind of policy that it is in. */
export function checkStructure(policy: ReadPolicy, kind: PolicyKind, report: Report): void {
  for (const statement of policy.statements) {
    checkElements(statement, kind, report);
    checkEmpty(statement, report);
  }
  checkSids(policy.statements, kind, report);
}

function checkElements(statement: ReadStatement, kind: PolicyKind, report: Report): void {
  const { action, resource, place, principalPlace } = statement;
  if (action === undefined) {
    report.error('MISSING_ACTION', 'Add an Action or NotAction element to the policy statement.', place);
  }
  if (kind === 'trust') {
    if (resource !== undefined) {
      report.error(
        'ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE',
        'Role trust policies apply to the role that they are attached to. You cannot specify a resource. Remove the Resource or NotResource element.',
        resource.namePlace,
      );
    }
  } else if (resource === undefined && !(kind === 'resource' && isTrustStatement(statement))) {
    report.error('MISSING_RESOURCE', 'Add a Resource or NotResource element to the policy statement.', place);
  }
  if (kind === 'resource' || kind === 'trust' || kind === 'resource-control') {
    if (principalPlace === undefined) {
      report.error('MISSING_PRINCIPAL', 'Add a Principal element to the policy statement.', place);
    }
  } else if (principalPlace !== undefined && kind === 'service-control') {
    const details = 'SCPs do not support specifying principals. Remove the Principal or NotPrincipal element.';
    report.error('SCP_SYNTAX_ERROR_PRINCIPAL', details, principalPlace);
  } else if (principalPlace !== undefined) {
    const details = `The policy type ${NAMES[kind]} does not support the Principal element. Remove the Principal element.`;
    report.error('UNSUPPORTED_PRINCIPAL', details, principalPlace);
  }
  if (kind === 'resource-control' && statement.effect === 'Allow') {
    report.own(
      'ERROR',
      'RCP_ALLOW_NOT_SUPPORTED',
      'Resource control policies have statements with the effect Deny only.',
      place,
    );
  }
}

/** A role's trust policy is a resource policy, too, and names no resource. */
function isTrustStatement({ action }: ReadStatement): boolean {
  return action !== undefined && action.values.length > 0 && action.values.every(({ text }) => /^sts:/i.test(text));
}

function checkEmpty({ action, resource, principals, conditions }: ReadStatement, report: Report): void {
  if (action?.isEmptyArray === true) {
    const details = 'This statement includes no actions and does not affect the policy. Specify actions.';
    report.suggestion('EMPTY_ARRAY_ACTION', details, action.place);
  }
  if (resource?.isEmptyArray === true) {
    const details = 'This statement includes no resources and does not affect the policy. Specify resources.';
    report.suggestion('EMPTY_ARRAY_RESOURCE', details, resource.place);
  }
  for (const principal of principals.filter(({ isEmptyArray }) => isEmptyArray)) {
    const details = 'This statement includes no principals and does not affect the policy. Specify principals.';
    report.suggestion('EMPTY_ARRAY_PRINCIPAL', details, principal.place);
  }
  for (const { operator, name, place } of conditions.filter(({ isEmptyArray }) => isEmptyArray)) {
    if (/^forallvalues:/i.test(operator)) {
      const details = `The ForAllValues prefix with an empty condition key matches only if the key ${name} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.`;
      report.suggestion('EMPTY_ARRAY_CONDITION_FORALLVALUES', details, place);
    } else if (/^foranyvalue:/i.test(operator)) {
      const details = `The ForAnyValue prefix with an empty condition key ${name} never matches the request context and it does not affect the policy. Specify conditions.`;
      report.suggestion('EMPTY_ARRAY_CONDITION_FORANYVALUE', details, place);
    } else if (/ifexists$/i.test(operator)) {
      const details = `The IfExists suffix with an empty condition key matches only if the key ${name} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.`;
      report.suggestion('EMPTY_ARRAY_CONDITION_IFEXISTS', details, place);
    } else {
      const details = `There are no values for the condition key ${name} and it does not affect the policy. Specify conditions.`;
      report.suggestion('EMPTY_ARRAY_CONDITION', details, place);
    }
  }
}

function checkSids(statements: readonly ReadStatement[], kind: PolicyKind, report: Report): void {
  const seen = new Set<string>();
  const hasPlainSids = kind === 'identity' || kind === 'service-control' || kind === 'resource-control';
  for (const { sid } of statements) {
    if (sid === undefined) continue;
    if (sid.text === '') {
      report.suggestion('EMPTY_SID_VALUE', 'Add a value to the empty string in the Sid element.', sid.place);
    } else if (seen.has(sid.text)) {
      if (kind === 'resource') {
        const details = 'We recommend that you use statement IDs that are unique to your policy. Update the Sid value.';
        report.warning('UNIQUE_SIDS_RECOMMENDED', details, sid.place);
      } else {
        const details = 'Duplicate statement IDs are not supported for this policy type. Update the Sid value.';
        report.error('UNIQUE_SIDS_REQUIRED', details, sid.place);
      }
    }
    seen.add(sid.text);
    if (hasPlainSids && !/^[A-Za-z0-9]*$/.test(sid.text)) {
      const details =
        'Update the characters in the Sid element to use one of the following character types: [a-z, A-Z, 0-9]';
      report.error('UNSUPPORTED_SID', details, sid.place);
    }
  }
}
