import { escapeText } from '#kernel/escape-xml.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';
import type { FormUpload } from './form-upload.ts';

/**
 * The answer to a form whose file was stored.
 *
 * @param put the answer to the PutObject that it stood for
 * @param origin such as `http://localhost:4566/bucket`: where the object's address begins
 */
export function formAnswer(form: FormUpload, put: EncodedResponse, origin: string): EncodedResponse {
  const { bucket, key, redirect, successStatus } = form;
  const etag = String(put.headers['etag'] ?? '');
  const location = `${origin}/${key.split('/').map(encodeURIComponent).join('/')}`;
  if (redirect !== undefined) {
    const target = new URL(redirect);
    const added = Object.entries({ bucket, key, etag }).map((pair) => pair.map(encodeURIComponent).join('='));
    target.search = [target.search.slice(1), ...added].filter((part) => part !== '').join('&');
    return { ...put, status: 303, headers: { ...put.headers, location: target.href } };
  }
  const headers = { ...put.headers, location };
  if (successStatus !== 201) return { ...put, status: successStatus, headers };
  const elements = { Location: location, Bucket: bucket, Key: key, ETag: etag };
  const xml = Object.entries(elements).map(([name, text]) => `<${name}>${escapeText(text)}</${name}>`);
  return {
    ...put,
    status: 201,
    headers: { ...headers, 'content-type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${xml.join('')}</PostResponse>`),
  };
}
