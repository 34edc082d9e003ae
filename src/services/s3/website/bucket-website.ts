import type { RoutingRule } from '@aws-sdk/client-s3';
import { ServiceError } from '#kernel/service-error.ts';
import type { Website, WebsiteAnswer, WebsiteReader, WebsiteRequest } from '#kernel/website.ts';
import type { S3Context } from '../context.ts';
import { settingsOf } from '../domain/bucket-settings.ts';
import { methodNotAllowed, noSuchBucket, noSuchWebsite } from '../errors.ts';
import type { WebsiteSettings } from './website-settings.ts';

/** Buckets as websites: what they answer follows the S3 user guide, "Hosting a static website". */
export function websiteOf(s3: Pick<S3Context, 'store' | 'seal'>): Website {
  return {
    async answer(request, reader) {
      try {
        const row = await s3.store.findBucket(request.bucket);
        if (row === undefined) throw noSuchBucket(request.bucket);
        const { website } = settingsOf(s3.seal.checkBucket(row));
        if (website === undefined) throw noSuchWebsite(request.bucket);
        if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method, 'OBJECT');
        return await answerOf(website, request, reader);
      } catch (error) {
        if (error instanceof ServiceError) return { kind: 'error', error };
        throw error;
      }
    },
  };
}

async function answerOf<Answer>(
  website: WebsiteSettings,
  request: WebsiteRequest,
  reader: WebsiteReader<Answer>,
): Promise<WebsiteAnswer<Answer>> {
  const { key } = request;
  const { RedirectAllRequestsTo: all, RoutingRules: rules = [] } = website;
  if (all !== undefined) {
    return redirect(301, addressOf(request, all.Protocol, all.HostName, key));
  }
  const early = rules.find((rule) => rule.Condition?.HttpErrorCodeReturnedEquals === undefined && fits(rule, key));
  if (early !== undefined) return follow(early, request);
  const suffix = website.IndexDocument?.Suffix ?? '';
  const isFolder = key === '' || key.endsWith('/');
  try {
    const { redirect: location, answer } = await reader.read(isFolder ? key + suffix : key, true);
    if (location !== undefined) return redirect(301, location);
    return { kind: 'object', answer };
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status < 400) throw error;
    if (!isFolder && (error.status === 404 || error.status === 403) && (await isThere(reader, `${key}/${suffix}`))) {
      return redirect(302, `/${encodePath(key)}/`);
    }
    return await answerError(website, request, reader, error);
  }
}

async function answerError<Answer>(
  website: WebsiteSettings,
  request: WebsiteRequest,
  reader: WebsiteReader<Answer>,
  error: ServiceError,
): Promise<WebsiteAnswer<Answer>> {
  const { RoutingRules: rules = [], ErrorDocument: document } = website;
  const late = rules.find(
    (rule) => rule.Condition?.HttpErrorCodeReturnedEquals === String(error.status) && fits(rule, request.key),
  );
  if (late !== undefined) return follow(late, request);
  // Error documents are for what the client did (S3 user guide, "Configuring a custom error document").
  if (document?.Key === undefined || error.status >= 500) return { kind: 'error', error };
  try {
    const { answer } = await reader.read(document.Key, false);
    return { kind: 'object', answer, status: error.status, error };
  } catch (ofErrorDocument) {
    if (!(ofErrorDocument instanceof ServiceError)) throw ofErrorDocument;
    return { kind: 'error', error, ofErrorDocument };
  }
}

async function isThere<Answer>(reader: WebsiteReader<Answer>, key: string): Promise<boolean> {
  try {
    await reader.head(key);
    return true;
  } catch (error) {
    if (error instanceof ServiceError) return false;
    throw error;
  }
}

function fits({ Condition: condition }: RoutingRule, key: string): boolean {
  return key.startsWith(condition?.KeyPrefixEquals ?? '');
}

function follow(rule: RoutingRule, request: WebsiteRequest): WebsiteAnswer<never> {
  const {
    HttpRedirectCode: code = '301',
    HostName,
    Protocol,
    ReplaceKeyWith,
    ReplaceKeyPrefixWith,
  } = rule.Redirect ?? {};
  const rest = request.key.slice((rule.Condition?.KeyPrefixEquals ?? '').length);
  const key = ReplaceKeyWith ?? (ReplaceKeyPrefixWith === undefined ? request.key : ReplaceKeyPrefixWith + rest);
  return redirect(Number(code), addressOf(request, Protocol, HostName, key));
}

function addressOf(
  request: WebsiteRequest,
  protocol: string | undefined,
  host: string | undefined,
  key: string,
): string {
  return `${protocol ?? (request.isSecure ? 'https' : 'http')}://${host ?? request.host}/${encodePath(key)}`;
}

function redirect(status: number, location: string): WebsiteAnswer<never> {
  return { kind: 'redirect', status, location };
}

function encodePath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
