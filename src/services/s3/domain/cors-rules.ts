import type { CORSRule } from '@aws-sdk/client-s3';
import { invalidRequest, malformedXml } from '../errors.ts';

/** What a bucket lets pages of other origins do; in the order in which rules are looked at. */
export interface CorsRule {
  readonly id?: string;
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  /** Seconds for which a browser may keep the answer to its preflight. */
  readonly maxAge?: number;
}

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);
const MAXIMUM_RULES = 100;
const MAXIMUM_ID = 255;
const MAXIMUM_SIZE = 64 * 1024;

/** @throws ServiceError InvalidRequest, MalformedXML */
export function readCorsRules(rules: readonly CORSRule[]): CorsRule[] {
  if (rules.length === 0 || rules.length > MAXIMUM_RULES) throw malformedXml();
  const read = rules.map(readRule);
  if (Buffer.byteLength(JSON.stringify(read)) > MAXIMUM_SIZE) {
    throw invalidRequest('The CORS configuration must not exceed 64 KB.');
  }
  return read;
}

function readRule(rule: CORSRule): CorsRule {
  const { ID: id, AllowedOrigins: origins = [], AllowedMethods: methods = [], MaxAgeSeconds: maxAge } = rule;
  const { AllowedHeaders: headers = [], ExposeHeaders: exposed = [] } = rule;
  if (origins.length === 0 || methods.length === 0) throw malformedXml();
  if (id !== undefined && id.length > MAXIMUM_ID)
    throw invalidRequest('The ID of a CORS rule has at most 255 characters.');
  for (const method of methods) {
    if (METHODS.has(method)) continue;
    throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
  }
  for (const origin of origins) refuseSecondWildcard('AllowedOrigin', origin);
  for (const header of headers) refuseSecondWildcard('AllowedHeader', header);
  for (const header of exposed) {
    if (!header.includes('*')) continue;
    throw invalidRequest(
      `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  if (maxAge !== undefined && (maxAge < 0 || maxAge > 0x7fffffff)) throw malformedXml();
  return {
    ...(id !== undefined && { id }),
    origins,
    methods,
    headers,
    exposed,
    ...(maxAge !== undefined && { maxAge }),
  };
}

function refuseSecondWildcard(element: string, value: string): void {
  if (value.split('*').length > 2) throw invalidRequest(`${element} "${value}" can not have more than one wildcard.`);
}

/** As the API has them. */
export function corsRulesAnswer(rules: readonly CorsRule[]): CORSRule[] {
  return rules.map((rule) => ({
    ...(rule.id !== undefined && { ID: rule.id }),
    AllowedOrigins: [...rule.origins],
    AllowedMethods: [...rule.methods],
    ...(rule.headers.length > 0 && { AllowedHeaders: [...rule.headers] }),
    ...(rule.exposed.length > 0 && { ExposeHeaders: [...rule.exposed] }),
    ...(rule.maxAge !== undefined && { MaxAgeSeconds: rule.maxAge }),
  }));
}

interface CrossOriginQuestion {
  readonly origin: string;
  readonly method: string;
  /** Headers that the page wants to send, in lower case. */
  readonly headers: readonly string[];
}

/** The answer's headers by the first rule that allows all of it; `undefined` where none does. */
export function corsHeaders(
  rules: readonly CorsRule[],
  question: CrossOriginQuestion,
): Record<string, string> | undefined {
  for (const rule of rules) {
    const pattern = rule.origins.find((candidate) => fits(candidate, question.origin));
    if (pattern === undefined || !rule.methods.includes(question.method)) continue;
    if (!question.headers.every((header) => rule.headers.some((allowed) => fits(allowed.toLowerCase(), header))))
      continue;
    return {
      'access-control-allow-origin': pattern === '*' ? '*' : question.origin,
      'access-control-allow-methods': rule.methods.join(', '),
      ...(question.headers.length > 0 && { 'access-control-allow-headers': question.headers.join(', ') }),
      ...(rule.exposed.length > 0 && { 'access-control-expose-headers': rule.exposed.join(', ') }),
      ...(rule.maxAge !== undefined && { 'access-control-max-age': String(rule.maxAge) }),
      // Whoever may be anybody gets no answers that were made for somebody.
      ...(pattern !== '*' && { 'access-control-allow-credentials': 'true' }),
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    };
  }
  return undefined;
}

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [front, back] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= front.length + back.length && text.startsWith(front) && text.endsWith(back);
}
