import { SignedXml } from 'xml-crypto';
import { issueCertificate, type IssuedCertificate } from './certificates.ts';

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/';
const RECIPIENT = 'https://signin.aws.amazon.com/saml';

export interface ResponseFacts {
  /** By the last part of their names. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly issuer?: string;
  readonly subject?: string;
  readonly audience?: string;
  readonly recipient?: string;
  readonly status?: string;
  /** Seconds from now. */
  readonly issuedAt?: number;
  readonly notBefore?: number;
  readonly endsAt?: number;
  readonly confirmedUntil?: number;
  readonly sessionEndsAt?: number;
}

export interface Signing {
  readonly what?: 'Assertion' | 'Response' | 'both' | 'nothing';
  readonly signatureAlgorithm?: string;
  readonly digestAlgorithm?: string;
  readonly key?: string;
}

/** A SAML identity provider: its metadata, and responses that it signs. */
export class SamlProvider {
  readonly entityId = 'https://idp.example.com/saml';
  readonly certificate: IssuedCertificate;

  constructor() {
    this.certificate = issueCertificate('idp.example.com', issueCertificate('test'), 30, 'rsa');
  }

  metadata(certificate = this.certificate): string {
    const base64 = certificate.certificate.replace(/-----[A-Z ]+-----|\s/g, '');
    return (
      `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${this.entityId}">` +
      `<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
      `<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${base64}</X509Certificate></X509Data></KeyInfo>` +
      `</KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>` +
      `</IDPSSODescriptor></EntityDescriptor>`
    ).padEnd(1000);
  }

  /** The response as XML, not signed. */
  unsigned(facts: ResponseFacts = {}): string {
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const { attributes = {}, issuer = this.entityId, subject = 'person-1', issuedAt = 0, endsAt = 300 } = facts;
    const { audience = 'urn:amazon:webservices', recipient = RECIPIENT, sessionEndsAt } = facts;
    const statements = Object.entries({ RoleSessionName: 'person@example.com', ...attributes }).map(
      ([name, values]) => {
        const full = name.startsWith('urn:') ? name : ATTRIBUTES + name;
        const items = [values].flat().map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`);
        return `<saml:Attribute Name="${full}">${items.join('')}</saml:Attribute>`;
      },
    );
    const ends = sessionEndsAt === undefined ? '' : ` SessionNotOnOrAfter="${at(sessionEndsAt)}"`;
    return (
      `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
      `ID="_response" Version="2.0" IssueInstant="${at(issuedAt)}" Destination="${RECIPIENT}"><saml:Issuer>${issuer}</saml:Issuer>` +
      `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${facts.status ?? 'Success'}"/></samlp:Status>` +
      `<saml:Assertion ID="_assertion" Version="2.0" IssueInstant="${at(issuedAt)}"><saml:Issuer>${issuer}</saml:Issuer>` +
      `<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${subject}</saml:NameID>` +
      `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData ` +
      `NotOnOrAfter="${at(facts.confirmedUntil ?? 300)}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject>` +
      `<saml:Conditions NotBefore="${at(facts.notBefore ?? -60)}" NotOnOrAfter="${at(endsAt)}"><saml:AudienceRestriction>` +
      `<saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
      `<saml:AuthnStatement AuthnInstant="${at(issuedAt)}"${ends}/><saml:AttributeStatement>${statements.join('')}` +
      `</saml:AttributeStatement></saml:Assertion></samlp:Response>`
    );
  }

  /** The response as XML, signed as the provider would. */
  signed(facts: ResponseFacts = {}, signing: Signing = {}): string {
    const { what = 'Assertion' } = signing;
    let xml = this.unsigned(facts);
    if (what === 'Assertion' || what === 'both') xml = this.sign(xml, 'Assertion', signing);
    if (what === 'Response' || what === 'both') xml = this.sign(xml, 'Response', signing);
    return xml;
  }

  sign(xml: string, element: 'Assertion' | 'Response', signing: Signing = {}): string {
    const signer = new SignedXml({
      privateKey: signing.key ?? this.certificate.key,
      publicCert: this.certificate.certificate,
      signatureAlgorithm: signing.signatureAlgorithm ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      canonicalizationAlgorithm: EXCLUSIVE,
    });
    const path = `//*[local-name(.)='${element}' and not(ancestor::*[local-name(.)='${element}'])]`;
    signer.addReference({
      xpath: path,
      transforms: [ENVELOPED, EXCLUSIVE],
      digestAlgorithm: signing.digestAlgorithm ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
    });
    signer.computeSignature(xml, { location: { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' } });
    return signer.getSignedXml();
  }
}

export const inBase64 = (xml: string): string => Buffer.from(xml).toString('base64');
