import { type Report, shown } from '../domain/finding.ts';
import type { PolicyKind, ReadPrincipal, ReadStatement, ReadValue } from '../domain/read-policy.ts';
import { type CheckedPolicy, hasWildcard } from './checked-policy.ts';

const KINDS: ReadonlySet<string> = new Set(['*', 'AWS', 'Service', 'Federated', 'CanonicalUser']);
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/;
const IAM_PRINCIPAL =
  /^(?:\d{12}|A(?:IDA|ROA)[A-Z0-9]{12,124}|arn:[^:]*:(?:iam::\d{12}:(?:root|user\/.+|role\/.+)|sts::\d{12}:(?:assumed-role\/.+\/.+|federated-user\/.+|self)))$/;
const SOURCE_KEYS = [
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:principalorgid',
];

/** Who is named, and whether that is too many. */
export function checkPrincipals({ policy, kind }: CheckedPolicy, report: Report): void {
  for (const statement of policy.statements) {
    for (const principal of statement.principals) {
      if (!KINDS.has(principal.name)) {
        const details = `The principal key ${shown(principal.name)} is not valid.`;
        report.error('INVALID_PRINCIPAL_KEY', details, principal.namePlace);
        continue;
      }
      for (const value of principal.values) checkValue(principal, value, kind, report);
    }
    const isAllowedHere = kind === 'resource' || kind === 'trust';
    if (isAllowedHere && statement.principals.length > 0) checkBreadth(statement, kind, report);
    if (kind === 'trust') checkTrust(statement, report);
  }
}

function checkValue(principal: ReadPrincipal, { text, place }: ReadValue, kind: PolicyKind, report: Report): void {
  const { name } = principal;
  if (name === '*' || (name === 'AWS' && text === '*')) {
    if (kind === 'trust' && name === '*') {
      const details =
        '"Principal:" "*" is not supported in the principal element of a role trust policy. Replace the wildcard with a valid principal value.';
      report.error('ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', details, place);
    }
    return;
  }
  if (hasWildcard(text)) {
    const details = `Wildcards (*, ?) are not supported with the principal key ${name}. Replace the wildcard with a valid principal value.`;
    report.error('UNSUPPORTED_WILDCARD_IN_PRINCIPAL', details, place);
  } else if (name === 'Service' && !SERVICE.test(text)) {
    const details = 'The service principal does not match the expected format. Use the format service.amazonaws.com.';
    report.error('INVALID_SERVICE_PRINCIPAL_FORMAT', details, place);
  } else if (name === 'Federated' && kind !== 'trust' && kind !== 'resource') {
    const details =
      'The policy type does not support a federated identity provider in the principal element. Use a supported principal.';
    report.error('FEDERATED_PRINCIPAL_NOT_SUPPORTED', details, place);
  } else if (
    name === 'Federated' &&
    !/^(?:arn:[^:]*:iam::\d{12}:(?:saml|oidc)-provider\/.+|[a-z0-9.-]+\.[a-z]+(?:\/.*)?)$/.test(text)
  ) {
    const details =
      'The principal value specifies a federated principal that does not match the expected format. Update the federated principal to a domain name or a SAML metadata ARN.';
    report.error('INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY', details, place);
  } else if (name === 'AWS' && text.startsWith('AROA')) {
    const details = `The Principal element includes the IAM role ID ${shown(text)}. We recommend that you use a role ARN instead.`;
    report.warning('INVALID_ROLE_REFERENCE', details, place);
  } else if (name === 'AWS' && text.startsWith('AIDA')) {
    const details = `The Principal element includes the IAM user ID ${shown(text)}. We recommend that you use a user ARN instead.`;
    report.warning('INVALID_USER_REFERENCE', details, place);
  } else if (name === 'AWS' && !IAM_PRINCIPAL.test(text)) {
    const details = `${shown(text)} is not the ARN of an account, user, role or session, nor an account ID.`;
    report.own('ERROR', 'INVALID_PRINCIPAL', details, place);
  }
}

function checkBreadth(statement: ReadStatement, kind: PolicyKind, report: Report): void {
  const { principals, effect, conditions, principalPlace, place } = statement;
  const isNegated = principals.some(({ element }) => element === 'NotPrincipal');
  if (isNegated && kind === 'trust') {
    const details =
      'Role trust policies do not support NotPrincipal. Update the policy to use a Principal element instead.';
    report.error('ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL', details, principalPlace ?? place);
    return;
  }
  if (effect !== 'Allow') return;
  if (isNegated) {
    const details =
      'Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal instead.';
    report.securityWarning('ALLOW_WITH_NOT_PRINCIPAL', details, principalPlace ?? place);
    return;
  }
  for (const { name, values } of principals) {
    for (const { text, place: at } of values) {
      if (text === '*' && (name === '*' || name === 'AWS') && conditions.length === 0) {
        const details =
          'Allow with the principal "*" and without a condition is for everybody, in other accounts and without credentials too. Name the principals, or add a condition such as aws:PrincipalAccount.';
        report.own('SECURITY_WARNING', 'ALLOW_WITH_WILDCARD_PRINCIPAL', details, at);
      }
      if (
        name === 'Service' &&
        kind === 'resource' &&
        !conditions.some((item) => SOURCE_KEYS.includes(item.name.toLowerCase()))
      ) {
        const details =
          'Granting access to a service principal without specifying a source is overly permissive. Use aws:SourceArn or aws:SourceAccount condition key and scope access to a specific source to grant fine-grained access.';
        report.securityWarning('RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL', details, at);
      }
    }
  }
}

/** Which providers go with which way to assume a role. */
function checkTrust({ action, principals }: ReadStatement, report: Report): void {
  const federated = principals.filter(({ name }) => name === 'Federated').flatMap(({ values }) => values);
  if (federated.length === 0 || action === undefined) return;
  const isSaml = ({ text }: ReadValue) => text.includes(':saml-provider/');
  for (const { text, place } of action.values) {
    const wrong = federated.filter((provider) => {
      if (/^sts:assumerolewithsaml$/i.test(text)) return !isSaml(provider);
      if (/^sts:assumerolewithwebidentity$/i.test(text)) return isSaml(provider);
      return /^sts:assumerole$/i.test(text);
    });
    if (wrong.length === 0) continue;
    const names = wrong.map((provider) => shown(provider.text)).join(', ');
    const details = `The ${text} action is invalid with the following principal(s): ${names}. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options.`;
    report.error('MISMATCHED_ACTION_FOR_PRINCIPAL', details, place);
  }
}
