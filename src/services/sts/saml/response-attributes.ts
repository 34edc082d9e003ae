import { invalidIdentityToken } from '../errors.ts';
import { isTag } from '../web-identity/session-claims.ts';
import type { VerifiedResponse } from './verify-response.ts';

const PREFIX = 'https://aws.amazon.com/SAML/Attributes/';
const NAME = /^[\w+=,.@-]{2,64}$/;

/** What a response says of the session (IAM user guide, "Configure SAML assertions for the authentication response"). */
export interface ResponseAttributes {
  readonly sessionName: string;
  /** Pairs of a role's ARN and the provider's, as they stand. */
  readonly roles: readonly (readonly string[])[];
  /** Seconds. */
  readonly sessionDuration: number | undefined;
  readonly sourceIdentity: string | undefined;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly transitiveTagKeys: readonly string[];
}

/** @throws ServiceError InvalidIdentityToken */
export function responseAttributes({ attributes }: VerifiedResponse): ResponseAttributes {
  const [sessionName, ...otherNames] = attributes.get(`${PREFIX}RoleSessionName`) ?? [];
  if (sessionName === undefined) throw invalidIdentityToken('RoleSessionName is required in AuthnResponse');
  if (!NAME.test(sessionName) || otherNames.length > 0) {
    throw invalidIdentityToken('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
  }
  const [sourceIdentity] = attributes.get(`${PREFIX}SourceIdentity`) ?? [];
  if (sourceIdentity !== undefined && (!NAME.test(sourceIdentity) || /^aws:/i.test(sourceIdentity))) {
    throw invalidIdentityToken('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"');
  }
  return {
    sessionName,
    roles: (attributes.get(`${PREFIX}Role`) ?? []).map((pair) => pair.split(',').map((arn) => arn.trim())),
    sessionDuration: durationOf(attributes.get(`${PREFIX}SessionDuration`)),
    sourceIdentity,
    tags: tagsOf(attributes),
    transitiveTagKeys: attributes.get(`${PREFIX}TransitiveTagKeys`) ?? [],
  };
}

function durationOf(values: readonly string[] | undefined): number | undefined {
  const [text] = values ?? [];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!/^\d{1,6}$/.test(text) || seconds < 900 || seconds > 43_200) {
    throw invalidIdentityToken('SessionDuration in AuthnResponse must be between 900 and 43200');
  }
  return seconds;
}

function tagsOf(attributes: VerifiedResponse['attributes']): { Key: string; Value: string }[] {
  const tags: { Key: string; Value: string }[] = [];
  for (const [name, values] of attributes) {
    if (!name.startsWith(`${PREFIX}PrincipalTag:`)) continue;
    const Key = name.slice(`${PREFIX}PrincipalTag:`.length);
    const [Value = '', ...others] = values;
    if (others.length > 0 || !isTag(Key, Value)) {
      throw invalidIdentityToken(`The attribute PrincipalTag:${Key} of AuthnResponse must have one value of a tag`);
    }
    tags.push({ Key, Value });
  }
  return tags;
}

/** Attributes that condition keys name (IAM user guide, "Available keys for SAML-based AWS STS federation"). */
const KEYS: Readonly<Record<string, string>> = {
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': 'saml:edupersonaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.2': 'saml:edupersonnickname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.3': 'saml:edupersonorgdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.4': 'saml:edupersonorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.5': 'saml:edupersonprimaryaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.6': 'saml:edupersonprincipalname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.7': 'saml:edupersonentitlement',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.8': 'saml:edupersonprimaryorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.9': 'saml:edupersonscopedaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.10': 'saml:edupersontargetedid',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.11': 'saml:edupersonassurance',
  'urn:oid:2.5.4.3': 'saml:cn',
  'urn:oid:2.5.4.4': 'saml:surname',
  'urn:oid:2.5.4.41': 'saml:name',
  'urn:oid:2.5.4.42': 'saml:givenname',
  'urn:oid:2.5.4.45': 'saml:x500uniqueidentifier',
  'urn:oid:0.9.2342.19200300.100.1.1': 'saml:uid',
  'urn:oid:0.9.2342.19200300.100.1.3': 'saml:mail',
};

/** The condition keys `saml:…` that a response gives. */
export function samlKeys(response: VerifiedResponse, providerArn: string): Record<string, string | readonly string[]> {
  const [, , , , account = ''] = providerArn.split(':');
  const keys: Record<string, string | readonly string[]> = {
    'saml:aud': response.recipient,
    'saml:iss': response.issuer,
    'saml:sub': response.subject,
    'saml:sub_type': response.subjectType,
    'saml:namequalifier': response.nameQualifier,
    'saml:doc': `${account}${providerArn.slice(providerArn.indexOf('/'))}`,
  };
  for (const [attribute, key] of Object.entries(KEYS)) {
    const values = response.attributes.get(attribute) ?? [];
    if (values.length > 0) keys[key] = values;
  }
  return keys;
}
