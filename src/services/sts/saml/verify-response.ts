import { createHash } from 'node:crypto';
import { parseXml, type XmlElement, XmlError } from '#kernel/xml-document.ts';
import type { SamlProvider } from '#services/iam/api.ts';
import { expiredToken, idpRejectedClaim, invalidIdentityToken } from '../errors.ts';
import { signedAssertion, SignatureError } from './signed-assertion.ts';

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
/** Whom assertions are for: the same as in AWS, so that a provider's settings for it serve here. */
const AUDIENCES = /^(urn:amazon:webservices|https:\/\/([a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml)$/;
const RECIPIENT = /^https:\/\/([a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml$/;
const REDEMPTION_MS = 5 * 60_000;
/** A provider's clock may be ahead. */
const SKEW_MS = 3 * 60_000;

/** A response whose signature, issuer, times and recipient are right. */
export interface VerifiedResponse {
  readonly issuer: string;
  readonly recipient: string;
  readonly subject: string;
  /** `persistent`, `transient`, or the format's name in full. */
  readonly subjectType: string;
  /** Says whose subject it is: a hash of issuer, account and provider, as AWS makes it. */
  readonly nameQualifier: string;
  /** Milliseconds since the epoch: when the provider ends its own session, where it says so. */
  readonly sessionEndsAt: number | undefined;
  /** By name: all values, in their order. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/**
 * @param encoded the response in base64
 * @param now milliseconds since the epoch
 * @throws ServiceError InvalidIdentityToken, ExpiredTokenException, IDPRejectedClaim
 */
export function verifyResponse(encoded: string, provider: SamlProvider, now: number): VerifiedResponse {
  const { text, root } = readResponse(encoded);
  const status = child(child(root, 'Status'), 'StatusCode')?.attributes.get('Value');
  if (status !== undefined && status !== SUCCESS) throw idpRejectedClaim('The identity provider rejected the claim.');
  const assertion = signedPart(text, root, provider.signingKeys);
  const issuer = textOf(child(assertion, 'Issuer'));
  if (issuer !== provider.entityId) throw invalidIdentityToken('Issuer not present in specified provider');
  checkTimes(assertion, now);
  checkAudience(assertion);
  const subject = child(assertion, 'Subject');
  const nameId = child(subject, 'NameID');
  if (nameId === undefined || textOf(nameId) === '') throw invalidIdentityToken('NameID is required in AuthnResponse');
  const ends = Date.parse(child(assertion, 'AuthnStatement')?.attributes.get('SessionNotOnOrAfter') ?? '');
  const [, , , , account = ''] = provider.arn.split(':');
  const name = provider.arn.slice(provider.arn.indexOf('/'));
  return {
    issuer,
    recipient: recipientOf(subject, now),
    subject: textOf(nameId),
    subjectType: formatOf(nameId.attributes.get('Format')),
    nameQualifier: createHash('sha1').update(`${issuer}${account}${name}`).digest('base64'),
    sessionEndsAt: Number.isNaN(ends) ? undefined : ends,
    attributes: attributesOf(assertion),
  };
}

function readResponse(encoded: string): { readonly text: string; readonly root: XmlElement } {
  const invalid = () => invalidIdentityToken('Invalid base64 SAMLResponse');
  const compact = encoded.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw invalid();
  const bytes = Buffer.from(compact, 'base64');
  const text = bytes.toString('utf8');
  // INVARIANT: no declarations, no comments, no CDATA: nothing on which two readers could disagree.
  if (text.includes('<!')) throw invalidIdentityToken('SAMLResponse has declarations, comments or CDATA');
  try {
    const root = parseXml(bytes);
    if (root.name === 'Response') return { text, root };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw invalid();
}

function signedPart(text: string, root: XmlElement, keys: readonly string[]): XmlElement {
  try {
    return signedAssertion(text, root, keys);
  } catch (error) {
    if (error instanceof SignatureError) throw invalidIdentityToken(error.message);
    if (error instanceof XmlError) throw invalidIdentityToken('Response signature invalid');
    throw error;
  }
}

function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

function textOf(element: XmlElement | undefined): string {
  return element?.text.trim() ?? '';
}

function timeOf(element: XmlElement | undefined, name: string): number | undefined {
  const given = element?.attributes.get(name);
  if (given === undefined) return undefined;
  const time = Date.parse(given);
  if (Number.isNaN(time)) throw invalidIdentityToken(`${name} is no time`);
  return time;
}

function checkTimes(assertion: XmlElement, now: number): void {
  const issuedAt = timeOf(assertion, 'IssueInstant');
  if (issuedAt === undefined) throw invalidIdentityToken('IssueInstant is required in AuthnResponse');
  if (now > issuedAt + REDEMPTION_MS) throw expiredToken('Token must be redeemed within 5 minutes of issuance');
  const conditions = child(assertion, 'Conditions');
  const before = Math.max(issuedAt, timeOf(conditions, 'NotBefore') ?? 0);
  if (before > now + SKEW_MS) throw invalidIdentityToken('The assertion is not valid yet');
  const end = timeOf(conditions, 'NotOnOrAfter');
  if (end !== undefined && now >= end) throw expiredToken('The assertion has expired');
}

/** INVARIANT: without an audience the assertion may be for anybody else. */
function checkAudience(assertion: XmlElement): void {
  const restrictions =
    child(assertion, 'Conditions')?.children.filter(({ name }) => name === 'AudienceRestriction') ?? [];
  const isMeant =
    restrictions.length > 0 &&
    restrictions.every(({ children }) =>
      children.some((item) => item.name === 'Audience' && AUDIENCES.test(textOf(item))),
    );
  if (!isMeant) throw invalidIdentityToken('Response does not contain the required audience.');
}

/** Of a confirmation by bearer that is in force. */
function recipientOf(subject: XmlElement | undefined, now: number): string {
  let hasExpired = false;
  for (const confirmation of subject?.children.filter(({ name }) => name === 'SubjectConfirmation') ?? []) {
    const data = child(confirmation, 'SubjectConfirmationData');
    const recipient = data?.attributes.get('Recipient');
    if (confirmation.attributes.get('Method') !== BEARER || recipient === undefined || !RECIPIENT.test(recipient))
      continue;
    const end = timeOf(data, 'NotOnOrAfter');
    const begin = timeOf(data, 'NotBefore') ?? 0;
    if (end === undefined || begin > now + SKEW_MS) continue;
    if (now < end) return recipient;
    hasExpired = true;
  }
  if (hasExpired) throw expiredToken('The assertion has expired');
  throw invalidIdentityToken(
    'Response does not contain a confirmation by bearer for https://signin.aws.amazon.com/saml',
  );
}

function formatOf(format: string | undefined): string {
  const [, short] = /^urn:oasis:names:tc:SAML:2\.0:nameid-format:(persistent|transient)$/.exec(format ?? '') ?? [];
  return short ?? format ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';
}

function attributesOf(assertion: XmlElement): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const statement of assertion.children.filter(({ name }) => name === 'AttributeStatement')) {
    for (const attribute of statement.children.filter(({ name }) => name === 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? '';
      const values = attribute.children
        .filter((value) => value.name === 'AttributeValue')
        .map((value) => textOf(value));
      found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}
