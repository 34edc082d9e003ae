import { compilePolicy } from '#policy/compile-policy.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { malformedPolicy, quotaExceeded } from '../errors.ts';

const MANAGED_LIMIT = 6144;
const TRUST_LIMIT = 2048;

/** The characters of a document that count against the quotas: white space does not. */
export function countedLength(document: string): number {
  return document.replace(/\s/g, '').length;
}

/** @throws ServiceError MalformedPolicyDocument */
export function checkPolicyText(document: string, kind: 'identity' | 'managed' | 'trust'): void {
  try {
    compilePolicy(document, kind);
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformedPolicy(error.message);
    throw error;
  }
}

/** @throws ServiceError MalformedPolicyDocument or LimitExceeded */
export function checkManagedPolicy(document: string): void {
  if (countedLength(document) > MANAGED_LIMIT) throw quotaExceeded('PolicySize', MANAGED_LIMIT);
  checkPolicyText(document, 'managed');
}

/** @throws ServiceError MalformedPolicyDocument or LimitExceeded */
export function checkTrustPolicy(document: string): void {
  if (countedLength(document) > TRUST_LIMIT) throw quotaExceeded('ACLSizePerRole', TRUST_LIMIT);
  checkPolicyText(document, 'trust');
}

/** Documents leave IAM URL-encoded (RFC 3986), as its API reference says. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
