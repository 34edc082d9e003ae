import { type FormClaim, readFormClaim } from '#auth/form-signature.ts';
import type { RequestSource } from '#kernel/operation.ts';
import { parseXml, type XmlElement, XmlError } from '#kernel/xml-document.ts';
import type { RoutingMatch } from '#protocol/router.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { malformedForm, noKey, notAForm } from './form-errors.ts';
import { boundaryOf, readUploadForm } from './multipart-form.ts';
import { checkPostPolicy, readPostPolicy, type SizeRange } from './post-policy.ts';

/** S3's own bound for what one request brings. */
const ANY_SIZE: SizeRange = { min: 0, max: 5 * 1024 ** 3 };

/** A form that uploads a file (S3 API reference, "POST Object"), as the PutObject that it stands for. */
export interface FormUpload {
  readonly bucket: string;
  readonly key: string;
  /** PutObject's headers; values are bytes in Latin-1, as those of a request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly claim: FormClaim | undefined;
  readonly file: AsyncIterable<Uint8Array>;
  /**
   * Checks what the signature does not: the fields against the policy, once that is known to be signed.
   *
   * @returns the bytes that the file may have
   * @throws ServiceError
   */
  checkPolicy(now: number): SizeRange;
  /** 200, 201 or 204; a client that is to be led elsewhere gets 303. */
  readonly successStatus: number;
  readonly redirect: URL | undefined;
}

/** Fields that are headers of PutObject. Others, such as that of the submit button, say nothing. */
const HEADER_FIELDS =
  /^(?:cache-control|content-(?:type|disposition|encoding|language|md5)|expires|x-amz-(?:meta-.+|server-side-encryption.*|storage-class|website-redirect-location|checksum-.+|sdk-checksum-algorithm|grant-.+|object-lock-.+|request-payer|expected-bucket-owner))$/;

/** @throws ServiceError, AuthFailure */
export async function readFormUpload(
  bucket: string,
  contentType: string | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<FormUpload> {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) {
    if (/^multipart\/form-data/i.test(contentType ?? '')) throw malformedForm();
    throw notAForm();
  }
  const form = await readUploadForm(body, boundary);
  const fields = new Map<string, string>();
  for (const [name, value] of form.fields) fields.set(name, value.replaceAll('${filename}', form.filename));
  const claim = readFormClaim((name) => form.fields.get(name));
  const key = fields.get('key');
  if (key === undefined || key === '') throw noKey();
  return {
    bucket,
    key,
    headers: headersOf(fields),
    claim,
    file: form.file,
    checkPolicy(now) {
      if (claim === undefined) return ANY_SIZE;
      const policy = readPostPolicy(claim.policy);
      checkPostPolicy(policy, fields, bucket, now);
      const { min, max } = policy.size ?? ANY_SIZE;
      return { min, max: Math.min(max, ANY_SIZE.max) };
    },
    successStatus: statusOf(fields.get('success_action_status')),
    redirect: redirectOf(fields.get('success_action_redirect') ?? fields.get('redirect')),
  };
}

/** Whether a request's key is still to be read, from the form that it brings. */
export function isUploadForm({ operation, labels }: RoutingMatch): boolean {
  return operation.name === 'PutObject' && labels['Key'] === undefined;
}

/** The address of the bucket, as the client has it. */
export function addressOf({ isSecure, host, path }: ReceivedRequest): string {
  return `${isSecure ? 'https' : 'http'}://${host}${path.replace(/\/$/, '')}`;
}

/** The request that the form stands for. */
export function formRequest(request: ReceivedRequest, { headers }: FormUpload): ReceivedRequest {
  const merged: Record<string, string> = Object.assign(Object.create(null), headers);
  for (const name of ['user-agent', 'referer']) {
    const value = request.header(name);
    if (value !== undefined) merged[name] = value;
  }
  return { ...request, mergedHeaders: merged, header: (name) => merged[name] };
}

/** How the form looks to policies. */
export function formSource(source: RequestSource, { claim }: FormUpload, payloadRange: SizeRange): RequestSource {
  if (claim === undefined) return { ...source, payloadRange };
  return { ...source, payloadRange, authType: 'POST', signatureVersion: claim.version };
}

function headersOf(fields: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of fields) {
    const header = name === 'acl' ? 'x-amz-acl' : name;
    if (header === 'x-amz-acl' || HEADER_FIELDS.test(header)) headers[header] = latin1(value.trim());
  }
  const tagging = fields.get('tagging');
  if (tagging !== undefined && tagging !== '') headers['x-amz-tagging'] = tagHeader(tagging);
  return headers;
}

function latin1(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** A form has its tags as PutObjectTagging has them. @throws ServiceError MalformedPOSTRequest */
function tagHeader(xml: string): string {
  const pairs = new URLSearchParams();
  const root = parse(xml);
  const set = root?.children.find(({ name }) => name === 'TagSet');
  if (root?.name !== 'Tagging' || set === undefined) throw malformedForm();
  for (const tag of set.children) {
    const textOf = (wanted: string) => tag.children.find(({ name }) => name === wanted)?.text;
    const key = textOf('Key');
    if (tag.name !== 'Tag' || key === undefined) throw malformedForm();
    pairs.append(key, textOf('Value') ?? '');
  }
  return pairs.toString();
}

function parse(xml: string): XmlElement | undefined {
  try {
    return parseXml(Buffer.from(xml));
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

function statusOf(text: string | undefined): number {
  return text === '200' || text === '201' ? Number(text) : 204;
}

/** An address that cannot be read counts as none, as in AWS. */
function redirectOf(text: string | undefined): URL | undefined {
  const url = text === undefined ? null : URL.parse(text);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
