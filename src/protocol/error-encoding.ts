import { escapeText } from '#kernel/escape-xml.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { ErrorRequest, WireService } from './compiled-service.ts';
import { headerSafe } from './header-values.ts';
import type { EncodedResponse } from './http-output.ts';
import { base64Of } from './json-writer.ts';
import { asRecord, setEntry } from './per-schema.ts';
import { XML_DECLARATION } from './xml-writer.ts';

type ErrorEncoder = (error: ServiceError, request: ErrorRequest) => EncodedResponse;

/** Makes the writer of a service's errors in its protocol's form. */
export function errorEncoderOf(service: WireService): ErrorEncoder {
  const encode = encoderOf(service);
  return (error, request) => {
    const response = encode(error, request);
    for (const [name, value] of Object.entries(error.headers)) response.headers[name.toLowerCase()] = headerSafe(value);
    return request.isHead === true ? { ...response, body: undefined } : response;
  };
}

function encoderOf(service: WireService): ErrorEncoder {
  switch (service.protocol) {
    case 'awsJson1_0':
      return jsonEncoder('application/x-amz-json-1.0', (error) => ({ __type: error.code, message: error.message }));
    case 'awsJson1_1':
      return jsonEncoder('application/x-amz-json-1.1', (error) => ({ __type: error.code, message: error.message }));
    case 'restJson1': {
      if (service.name === 'key-provider') return encodeApiGatewayError;
      // Kinesis Video's models write `Message`, MediaConvert's and MediaConnect's `message`.
      const isVideo = service.name.startsWith('kinesis-video');
      const messageName = isVideo ? 'Message' : 'message';
      const encode = jsonEncoder('application/json', (error) => ({ [messageName]: error.message }));
      if (!isVideo) return encode;
      // What Kinesis Video's documentation calls the header that its clients read as `x-amzn-ErrorType`.
      return (error, request) => {
        const response = encode(error, request);
        return { ...response, headers: { ...response.headers, 'x-amz-errortype': headerSafe(error.code) } };
      };
    }
    case 'awsQuery':
      return queryEncoder(service.xmlNamespace ?? '');
    case 'restXml':
      return encodeS3Error;
  }
}

/**
 * As API Gateway writes them: `Message` in the refusals of IAM, `message` in all others. What a provider of keys has to
 * say of a document is text.
 */
function encodeApiGatewayError(error: ServiceError, request: ErrorRequest): EncodedResponse {
  const name = error.code === 'AccessDeniedException' ? 'Message' : 'message';
  const encoded = jsonEncoder('application/json', ({ message }) => ({ [name]: message }))(error, request);
  const isText = error.headers['content-type']?.startsWith('text/plain') === true;
  return isText ? { ...encoded, body: Buffer.from(error.message, 'utf8') } : encoded;
}

function jsonEncoder(contentType: string, base: (error: ServiceError) => Record<string, unknown>): ErrorEncoder {
  return (error) => {
    const body = base(error);
    for (const [name, value] of Object.entries(error.members)) {
      if (value !== undefined) setEntry(body, name, jsonValueOf(value));
    }
    return {
      status: error.status,
      headers: { 'content-type': contentType, 'x-amzn-errortype': headerSafe(error.code) },
      body: Buffer.from(JSON.stringify(body), 'utf8'),
      stream: undefined,
    };
  };
}

/** Timestamps are seconds and blobs are base64, as in the outputs of these protocols. */
function jsonValueOf(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return base64Of(value);
  if (Array.isArray(value)) return value.map(jsonValueOf);
  const record = asRecord(value);
  if (record === undefined) return value;
  const result: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(record)) setEntry(result, name, jsonValueOf(entry));
  return result;
}

function queryEncoder(xmlNamespace: string): ErrorEncoder {
  const root = `<ErrorResponse xmlns="${escapeText(xmlNamespace)}">`;
  return (error, { requestId }) => {
    const type = error.isClientFault ? 'Sender' : 'Receiver';
    const details = `<Code>${escapeText(error.code)}</Code><Message>${escapeText(error.message)}</Message>`;
    const members = elementsOf(error.members);
    const xml = `${root}<Error><Type>${type}</Type>${details}${members}</Error><RequestId>${escapeText(requestId)}</RequestId></ErrorResponse>`;
    return {
      status: error.status,
      headers: { 'content-type': 'text/xml' },
      body: Buffer.from(xml, 'utf8'),
      stream: undefined,
    };
  };
}

function encodeS3Error(error: ServiceError, { requestId, resource, hostId }: ErrorRequest): EncodedResponse {
  // An answer without content, such as 304, says nothing in a body either.
  const hasBody = error.status >= 400;
  let xml = `${XML_DECLARATION}<Error><Code>${escapeText(error.code)}</Code><Message>${escapeText(error.message)}</Message>`;
  xml += elementsOf(error.members);
  if (resource !== undefined && !Object.hasOwn(error.members, 'Resource')) {
    xml += `<Resource>${escapeText(resource)}</Resource>`;
  }
  xml += `<RequestId>${escapeText(requestId)}</RequestId><HostId>${escapeText(hostId ?? requestId)}</HostId></Error>`;
  return {
    status: error.status,
    headers: hasBody ? { 'content-type': 'application/xml' } : {},
    body: hasBody ? Buffer.from(xml, 'utf8') : undefined,
    stream: undefined,
  };
}

function elementsOf(members: Readonly<Record<string, unknown>>): string {
  let xml = '';
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || value === null || !/^[A-Za-z][\w-]*$/.test(name)) continue;
    const text =
      value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : JSON.stringify(value);
    xml += `<${name}>${escapeText(text)}</${name}>`;
  }
  return xml;
}
