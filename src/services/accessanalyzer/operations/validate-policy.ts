import { createHash } from 'node:crypto';
import {
  ValidatePolicy$,
  type ValidatePolicyFinding,
  type ValidatePolicyRequest,
  type ValidatePolicyResponse,
} from '@aws-sdk/client-accessanalyzer';
import { operation } from '#kernel/operation.ts';
import type { AccessAnalyzerContext } from '../context.ts';
import type { Finding, FindingType } from '../domain/finding.ts';
import type { PolicyKind } from '../domain/read-policy.ts';
import { TextLines } from '../domain/text-position.ts';
import { validateDocument } from '../domain/validate-document.ts';
import { validation } from '../errors.ts';

const DEFAULT_RESULTS = 100;
/** As much as IAM takes for a policy to simulate; no policy of any kind may be longer. */
const MAX_LENGTH = 131_072;
const CHECKS = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html';
const LANGUAGE = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html';

export const validatePolicy = operation<AccessAnalyzerContext, ValidatePolicyRequest, ValidatePolicyResponse>(
  ValidatePolicy$,
  {
    authorize: () => [{ action: 'access-analyzer:ValidatePolicy', resource: '*' }],
    isReadOnly: true,
    async handle(input, _call, { facts }) {
      const { policyDocument: text = '', locale } = input;
      if (locale !== undefined && locale !== 'EN') {
        throw validation(
          `The locale ${locale} is not implemented by Coffer: findings are in English (EN).`,
          'notSupported',
        );
      }
      if (text.length > MAX_LENGTH) {
        const message = `The policy document has ${text.length} characters; the maximum is ${MAX_LENGTH}.`;
        throw validation(message, 'fieldValidationFailed');
      }
      const kind = kindOf(input);
      const from = readToken(input);
      const findings = await validateDocument(text, kind, input.validatePolicyResourceType, facts);
      const to = from + (input.maxResults ?? DEFAULT_RESULTS);
      const lines = new TextLines(text);
      return {
        findings: findings.slice(from, to).map((finding) => toOutput(finding, lines)),
        ...(findings.length > to && { nextToken: tokenOf(input, to) }),
      };
    },
  },
);

function kindOf({ policyType, validatePolicyResourceType: type }: ValidatePolicyRequest): PolicyKind {
  if (type !== undefined && policyType !== 'RESOURCE_POLICY') {
    throw validation(
      'validatePolicyResourceType goes with the policy type RESOURCE_POLICY only.',
      'fieldValidationFailed',
    );
  }
  switch (policyType) {
    case 'SERVICE_CONTROL_POLICY':
      return 'service-control';
    case 'RESOURCE_CONTROL_POLICY':
      return 'resource-control';
    case 'RESOURCE_POLICY':
      return type === 'AWS::IAM::AssumeRolePolicyDocument' ? 'trust' : 'resource';
    default:
      return 'identity';
  }
}

/** Two texts: how many findings came before, and what they were of. */
function tokenOf({ policyDocument = '', policyType, validatePolicyResourceType }: ValidatePolicyRequest, from: number) {
  const digest = createHash('sha256').update(JSON.stringify([policyDocument, policyType, validatePolicyResourceType]));
  return Buffer.from(`${from}:${digest.digest('hex').slice(0, 32)}`).toString('base64url');
}

function readToken(input: ValidatePolicyRequest): number {
  if (input.nextToken === undefined) return 0;
  const from = Number(/^(\d{1,6}):/.exec(Buffer.from(input.nextToken, 'base64url').toString())?.[1] ?? Number.NaN);
  if (Number.isNaN(from) || tokenOf(input, from) !== input.nextToken) {
    throw validation('The nextToken is not of an answer about this policy.', 'fieldValidationFailed');
  }
  return from;
}

const ANCHORS: Readonly<Record<FindingType, string>> = {
  ERROR: 'error',
  SECURITY_WARNING: 'security-warning',
  WARNING: 'general-warning',
  SUGGESTION: 'suggestion',
};

function toOutput({ type, code, details, places, isOwn }: Finding, lines: TextLines): ValidatePolicyFinding {
  const anchor = `access-analyzer-reference-policy-checks-${ANCHORS[type]}-${code.toLowerCase().replaceAll('_', '-')}`;
  return {
    findingType: type,
    issueCode: code,
    findingDetails: details,
    learnMoreLink: isOwn ? LANGUAGE : `${CHECKS}#${anchor}`,
    locations: places.map(({ path, at, end }) => ({
      path: [...path],
      span: { start: lines.at(at), end: lines.at(end) },
    })),
  };
}
