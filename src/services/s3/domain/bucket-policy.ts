import type { Statement } from '#policy/document.ts';
import { parseDocument } from '#policy/parse-document.ts';
import { PolicyDocumentError, type PolicyProblem } from '#policy/policy-document-error.ts';
import { malformedPolicy } from '../errors.ts';

const MAXIMUM_SIZE = 20 * 1024;

/** S3's own words for what IAM's parser finds. */
const WORDING: Partial<Record<PolicyProblem, string>> = {
  json: "Policies must be valid JSON and the first byte must be '{'",
  'missing-principal': 'Missing required field Principal',
  'missing-action': 'Missing required field Action',
  'missing-resource': 'Missing required field Resource',
  'missing-effect': 'Missing required field Effect',
  'invalid-principal': 'Invalid principal in policy',
  'invalid-action': 'Policy has invalid action',
  'invalid-resource': 'Policy has invalid resource',
};

/** Refuses what is not a policy of this bucket. @throws ServiceError MalformedPolicy */
export function checkBucketPolicy(text: string, bucket: string): void {
  if (Buffer.byteLength(text) > MAXIMUM_SIZE) {
    throw malformedPolicy(`Bucket policies cannot be larger than ${MAXIMUM_SIZE} bytes`);
  }
  for (const statement of statementsOf(text)) {
    const resource = statement.resources.find((candidate) => !isOfBucket(candidate, bucket));
    if (resource !== undefined) {
      throw outOfPlace('invalid-resource', resource, `it is not ${bucket} nor in it`, text);
    }
    const action = statement.actions.find((candidate) => candidate !== '*' && !/^s3:/i.test(candidate));
    if (action !== undefined) throw outOfPlace('invalid-action', action, 'it is no action of S3', text);
  }
}

function outOfPlace(problem: PolicyProblem, value: string, detail: string, text: string): Error {
  const at = Math.max(0, text.indexOf(JSON.stringify(value)));
  return policyRefusal(new PolicyDocumentError(problem, '', detail, text, at));
}

/**
 * Whether a policy lets everyone in: an allow for all principals that no condition ties to fixed callers (S3 user
 * guide, "The meaning of public").
 */
export function isPublicPolicy(text: string): boolean {
  return statementsOf(text).some((statement) => {
    if (statement.effect !== 'Allow') return false;
    const isForAll = statement.isNotPrincipal || statement.principal?.isEveryone === true;
    return isForAll && !statement.conditions.some(isRestricting);
  });
}

const RESTRICTING_KEYS = new Set([
  'aws:principalorgid',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:sourceip',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
]);

function isRestricting({ operator, key, values }: Statement['conditions'][number]): boolean {
  const isPositive =
    /^(String(Equals|Like)|Arn(Equals|Like)|IpAddress)/.test(operator) && !operator.endsWith('IfExists');
  return isPositive && RESTRICTING_KEYS.has(key.toLowerCase()) && !values.some(isBroad);
}

/** Patterns, and address ranges in which far too many may stand (S3 user guide, "The meaning of public"). */
function isBroad(value: string): boolean {
  const bits = /\/(\d{1,3})$/.exec(value)?.[1];
  const isWideRange = bits !== undefined && /^[\d.]+\/|^[\da-fA-F:.]*:[\da-fA-F:.]*\/\d+$/.test(value);
  return /[*?]/.test(value) || (isWideRange && Number(bits) < (value.includes(':') ? 32 : 8));
}

function statementsOf(text: string): readonly Statement[] {
  try {
    return parseDocument(text, 'resource').statements;
  } catch (error) {
    throw error instanceof PolicyDocumentError ? policyRefusal(error) : error;
  }
}

/** What is wrong with a bucket policy, in S3's words. */
export function policyRefusal({ problem, wording, line, column, detail }: PolicyDocumentError): Error {
  const said = (WORDING[problem] ?? wording).replace(/[.]$/, '');
  return malformedPolicy(`${said}. Line ${line}, column ${column}: ${detail}`);
}

function isOfBucket(resource: string, bucket: string): boolean {
  if (resource === '*') return true;
  const prefix = 'arn:aws:s3:::';
  if (!resource.startsWith(prefix)) return false;
  const rest = resource.slice(prefix.length);
  return rest === '*' || rest === bucket || rest.startsWith(`${bucket}/`) || matchesPattern(rest, bucket);
}

/** A bucket may be named by a pattern that it fits. */
function matchesPattern(resource: string, bucket: string): boolean {
  const [name = ''] = resource.split('/', 1);
  if (!/[*?$]/.test(name)) return false;
  const pattern = name
    .replace(/[.+^{}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(bucket);
}
