import { JsonSyntaxError, type JsonNode, parseJsonTree } from '#policy/json-tree.ts';
import { checkActions } from '../checks/action-checks.ts';
import { gatherFacts } from '../checks/checked-policy.ts';
import { checkConditions } from '../checks/condition-checks.ts';
import { checkPrincipals } from '../checks/principal-checks.ts';
import { checkRedundancy } from '../checks/redundancy-checks.ts';
import { checkResources } from '../checks/resource-checks.ts';
import { checkEscalation } from '../checks/security-checks.ts';
import { checkStructure } from '../checks/structure-checks.ts';
import { checkVariables } from '../checks/variable-checks.ts';
import type { AuthorizationFacts } from '../facts/authorization-facts.ts';
import { type Finding, Report } from './finding.ts';
import { type PolicyKind, readPolicy } from './read-policy.ts';
import { positionAt } from './text-position.ts';

const IDENTITY_QUOTA = 6144;
const SCP_QUOTA = 10_240;
const RESOURCE_QUOTA = 20_480;
const TRUST_QUOTA = 2048;
const RANK = { ERROR: 0, SECURITY_WARNING: 1, WARNING: 2, SUGGESTION: 3 } as const;

/** Holds a policy against the language, against what is known of actions, resources and keys, and against good practice. */
export async function validateDocument(
  text: string,
  kind: PolicyKind,
  resourceType: string | undefined,
  facts: AuthorizationFacts,
): Promise<readonly Finding[]> {
  const report = new Report();
  const root = readTree(text, report);
  if (root === undefined) return report.findings;
  const policy = readPolicy(root, report);
  checkStructure(policy, kind, report);
  checkVariables(policy, report);
  const checked = await gatherFacts(policy, kind, resourceType, facts);
  checkActions(checked, report);
  checkResources(checked, report);
  checkPrincipals(checked, report);
  checkConditions(checked, report);
  checkEscalation(checked, report);
  checkRedundancy(policy, report);
  checkSize(text, kind, root, report);
  return report.findings.toSorted((a, b) => RANK[a.type] - RANK[b.type]);
}

/** Commas before a closing bracket are reported and passed over, so that the rest is looked at, too. */
function readTree(text: string, report: Report): JsonNode | undefined {
  const fault = (at: number, what: string) => {
    const { line, column } = positionAt(text, at);
    const details = `Fix the JSON syntax error at index ${at} line ${line} column ${column}: ${what}.`;
    report.error('JSON_SYNTAX_ERROR', details, { path: [], at, end: Math.min(at + 1, text.length) });
  };
  try {
    return parseJsonTree(text, { onTrailingComma: (at) => fault(at, 'this comma has nothing after it') });
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    fault(error.at, error.message);
    return undefined;
  }
}

function checkSize(text: string, kind: PolicyKind, root: JsonNode, report: Report): void {
  const place = { path: [], at: root.at, end: root.end };
  const dense = text.replace(/\s/g, '').length;
  if (kind === 'identity' && dense > IDENTITY_QUOTA) {
    const details = `The ${dense} characters in the identity policy, excluding whitespace, exceed the ${IDENTITY_QUOTA} character maximum for inline and managed policies. We recommend that you use multiple granular policies.`;
    report.warning('POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA', details, place);
  } else if (kind === 'trust' && dense > TRUST_QUOTA) {
    const details =
      'The characters in the role trust policy, excluding whitespace, exceed the character maximum. We recommend that you request a role trust policy length quota increase using Service Quotas and AWS Support Center. If the quotas have already been increased, then you can ignore this warning.';
    report.warning('POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA', details, place);
  } else if (kind === 'resource' && text.length > RESOURCE_QUOTA) {
    const details = `The ${text.length} characters in the resource policy exceed the ${RESOURCE_QUOTA} character maximum for resource policies. We recommend that you use multiple granular policies.`;
    report.warning('POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA', details, place);
  } else if ((kind === 'service-control' || kind === 'resource-control') && text.length > SCP_QUOTA) {
    const details = `The ${text.length} characters in the service control policy (SCP) exceed the ${SCP_QUOTA} character maximum for SCPs. We recommend that you use multiple granular policies.`;
    report.error('POLICY_SIZE_EXCEEDS_SCP_QUOTA', details, place);
  }
}
