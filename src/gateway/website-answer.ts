import { STATUS_CODES } from 'node:http';
import { escapeText } from '#kernel/escape-xml.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { WebsiteAnswer } from '#kernel/website.ts';
import { headerSafe } from '#protocol/header-values.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';

/** An object's answer as GetObject gives it, with what the handler said beyond the schema. */
export interface ReadAnswer {
  readonly encoded: EncodedResponse;
  readonly status: number | undefined;
}

/** A website's answer on the wire: errors are pages for people, with the code in headers (S3 user guide, website endpoints). */
export function encodeWebsiteAnswer(answer: WebsiteAnswer<ReadAnswer>, requestId: string): EncodedResponse {
  switch (answer.kind) {
    case 'redirect':
      return {
        status: answer.status,
        headers: { location: headerSafe(answer.location) },
        body: undefined,
        stream: undefined,
      };
    case 'object': {
      const { encoded, status } = answer.answer;
      const headers = { ...encoded.headers, ...(answer.error !== undefined && errorHeaders(answer.error)) };
      return { ...encoded, headers, status: answer.status ?? status ?? encoded.status };
    }
    case 'error':
      return errorPage(answer.error, answer.ofErrorDocument, requestId);
  }
}

function errorHeaders(error: ServiceError): Record<string, string> {
  return { 'x-amz-error-code': headerSafe(error.code), 'x-amz-error-message': headerSafe(error.message) };
}

function errorPage(error: ServiceError, ofDocument: ServiceError | undefined, requestId: string): EncodedResponse {
  const { status, headers } = error;
  if (status < 400) return { status, headers: { ...headers }, body: undefined, stream: undefined };
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  const ids = { RequestId: requestId, HostId: requestId };
  const page = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<h1>${title}</h1>`,
    listOf({ Code: error.code, Message: error.message, ...error.members, ...ids }),
    ...(ofDocument === undefined
      ? []
      : [
          '<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>',
          listOf({ Code: ofDocument.code, Message: ofDocument.message, ...ofDocument.members }),
        ]),
    '<hr/>',
    '</body>',
    '</html>',
    '',
  ];
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', ...errorHeaders(error) },
    body: Buffer.from(page.join('\n'), 'utf8'),
    stream: undefined,
  };
}

function listOf(facts: Readonly<Record<string, unknown>>): string {
  const items = Object.entries(facts).map(([name, value]) => `<li>${escapeText(`${name}: ${String(value)}`)}</li>`);
  return ['<ul>', ...items, '</ul>'].join('\n');
}
