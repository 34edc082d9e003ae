import type { CopyObjectRequest } from '@aws-sdk/client-s3';
import type { Exchange } from '#kernel/exchange.ts';
import { parseCopySource } from '../operations/copy-source.ts';
import type { LogLine } from './log-line.ts';

/** The object that a request copied; it stands in the log of its own bucket, too. */
export function copiedObject(operation: string, input: unknown): ReturnType<typeof parseCopySource> | undefined {
  if (operation !== 'CopyObject' && operation !== 'UploadPartCopy') return undefined;
  try {
    return parseCopySource((input as CopyObjectRequest | undefined)?.CopySource);
  } catch {
    return undefined;
  }
}

/** How a request was signed, whether that was right or not. */
export function signatureOf({ header, target }: Exchange): LogLine['signature'] {
  const authorization = header('authorization');
  if (authorization !== undefined) {
    return { version: authorization.startsWith('AWS4') ? 'SigV4' : 'SigV2', place: 'AuthHeader' };
  }
  if (/[?&]X-Amz-Signature=/i.test(target)) return { version: 'SigV4', place: 'QueryString' };
  return /[?&]Signature=/.test(target) ? { version: 'SigV2', place: 'QueryString' } : undefined;
}

/** Bytes of the object that was read or written; `undefined` where the exchange does not tell. */
export function objectSizeOf(exchange: Exchange, operation: string): number | undefined {
  if (exchange.status >= 300) return undefined;
  if (operation === 'GetObject' || operation === 'HeadObject') {
    const whole = /\/(\d+)$/.exec(String(exchange.answerHeaders['content-range'] ?? ''))?.[1];
    return asSize(whole ?? exchange.answerHeaders['content-length']);
  }
  if ((operation !== 'PutObject' && operation !== 'UploadPart') || exchange.isForm) return undefined;
  return asSize(exchange.header('x-amz-decoded-content-length') ?? exchange.header('content-length'));
}

function asSize(value: string | number | undefined): number | undefined {
  const size = Number(value ?? Number.NaN);
  return Number.isSafeInteger(size) ? size : undefined;
}
