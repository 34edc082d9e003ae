import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type Authentication, type Authenticator } from '#auth/authenticator.ts';
import { AuthFailure } from '#auth/auth-failure.ts';
import { sha256Hex } from '#auth/canonical-request.ts';
import { type Claim, claimedService, readClaim } from '#auth/claim.ts';
import type { CredentialScope } from '#auth/signing-key.ts';
import type { AuditSink } from '#kernel/audit.ts';
import { anonymousCaller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccessRefusal, Authority, Door } from '#kernel/door.ts';
import { isRegion, type Region } from '#kernel/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import type { AccessRequest, RequestSource } from '#kernel/operation.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { WebsiteReader } from '#kernel/website.ts';
import type { ServiceError } from '#kernel/service-error.ts';
import type { CompiledService } from '#protocol/compiled-service.ts';
import type { EncodedResponse } from '#protocol/http-output.ts';
import { parseQuery, percentDecode } from '#protocol/query-parameters.ts';
import {
  createRouter,
  isFallback,
  type RoutedRequest,
  type Router,
  type RoutingFailure,
  type RoutingMatch,
} from '#protocol/router.ts';
import { auditRecordOf } from './audit-record-of.ts';
import type { Authorizer } from './authorizer.ts';
import { type CallFacts, GatewayCall } from './call.ts';
import { answerPreflight, crossOriginHeaders, isPreflight } from './cross-origin-answer.ts';
import { ExchangeNotes } from './exchange-notes.ts';
import { formAnswer } from './form/form-answer.ts';
import { addressOf, formRequest, formSource, isUploadForm, readFormUpload } from './form/form-upload.ts';
import { notImplemented, toServiceError } from './gateway-errors.ts';
import { withHoistedHeaders } from './hoisted-headers.ts';
import { type AnyService, OperationsTable, type Target } from './operations-table.ts';
import { type ReceivedRequest, readRequest } from './received-request.ts';
import { RequestBody } from './request-body.ts';
import { internalSource, sourceOf } from './request-source.ts';
import { encodeWebsiteAnswer, type ReadAnswer } from './website-answer.ts';
import { writeLongResponse } from './write-long-response.ts';

const MAX_BODY = 8 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);
const NEVER_ABORTED = new AbortController().signal;
const neverAborted = (): AbortSignal => NEVER_ABORTED;

export interface GatewayOptions {
  readonly services: readonly AnyService[];
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** The region of anonymous calls. */
  readonly defaultRegion: Region;
  /** Host names under which virtual-hosted buckets stand. */
  readonly domains: readonly string[];
}

/**
 * The way of every request, from a socket or from another service:
 *
 * socket → match operation → authenticate → parse → validate → authorise → handle → serialise → audit
 */
export class Gateway implements Door {
  readonly #options: GatewayOptions;
  readonly #operations: OperationsTable;
  readonly #router: Router;
  /** Ends the exchanges that would last as long as their clients want. */
  readonly #end = new AbortController();
  /** In whose form what belongs to no service is answered: S3's, as everything else that nobody claims. */
  readonly #fallback: CompiledService;

  /** @throws when an operation's declaration is incomplete: then the process must not start */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#operations = new OperationsTable(options.services);
    this.#router = createRouter(this.#operations.compiled);
    const { compiled } = this.#operations;
    const fallback = compiled.find(({ service }) => isFallback(service)) ?? compiled[0];
    if (fallback === undefined) throw new Error('There are no services.');
    this.#fallback = fallback;
  }

  /** Answers one request from a socket. Never rejects on account of the request. */
  async handle(message: IncomingMessage, response: ServerResponse, sendContinue: () => void): Promise<void> {
    const { randomness, logger, domains, clock } = this.#options;
    const requestId = randomness.uuid();
    let request = readRequest(message, domains);
    const notes = new ExchangeNotes(requestId, request, () => clock.now());
    const body = new RequestBody(message, sendContinue);
    // In whose form a failure is written, as far as that is known yet.
    let owner: CompiledService | undefined;
    let forBrowsers: Readonly<Record<string, string>> = {};
    try {
      if (request.websiteFromHost !== undefined) {
        owner = this.#fallback;
        const { answer, headers } = await this.#answerWebsite(request, requestId, () => abortSignalOf(response), notes);
        return await notes.send(owner, response, message, answer, { headers });
      }
      const claim = readClaimOf(request);
      request = withHoistedHeaders(request, claim.read);
      const routed = { ...request, signingName: claim.signingName };
      const first = this.#router.match(routed);
      owner = first.service;
      notes.matched(first);
      const match = 'error' in first && first.kind === 'form-needed' ? await this.#matchForm(routed, body) : first;
      owner = match.service;
      if (isPreflight(match)) {
        const answer = await answerPreflight(match, request);
        return await notes.send(owner, response, message, answer, { headers: {} });
      }
      if ('error' in match) throw claim.failure ?? match.error;
      forBrowsers = await crossOriginHeaders(match, request);
      const target = this.#operations.find(match.service.service.name, match.operation.name);
      if (isUploadForm(match)) {
        const signal = () => abortSignalOf(response);
        const answer = await this.#carryOutForm(match, target, request, claim, { requestId, body, signal, notes });
        return await notes.send(owner, response, message, answer, { headers: forBrowsers });
      }
      const authentication = await this.#authenticate(claim, request, body, target);
      if (target.built === undefined) throw notImplemented(target);
      const isShort = target.built.exchange === 'short';
      const { input, stream, trailers } = await this.#parse(match, request, body, authentication);
      const source = sourceOf(request, claim.read, clock.now());
      const call = this.#callOf(target, claim.read?.scope, source, authentication, {
        requestId,
        body: stream,
        trailers,
        signal: isShort ? () => abortSignalOf(response) : () => this.#endOf(response, authentication),
      });
      notes.asked(input, call);
      const output = await this.#carryOut(target, input, call);
      notes.output = output;
      Object.assign(call.reply.headers, forBrowsers);
      const encoded = target.wire.encode(output, requestId);
      if (isShort) return await notes.send(owner, response, message, encoded, call.reply);
      if (target.built.exchange === 'duplex') body.accept();
      await writeLongResponse(response, message, requestId, encoded, call.reply);
    } catch (error) {
      const service = owner ?? this.#fallback;
      const failure = toServiceError(error, service.service, logger.child({ requestId }));
      const about = { requestId, resource: request.path, isHead: request.method === 'HEAD' };
      notes.errorCode = failure.code;
      await notes.send(service, response, message, service.encodeError(failure, about), { headers: forBrowsers });
    }
  }

  /** Says that the server is to close: exchanges that are not short come to their end. */
  endLongExchanges(): void {
    this.#end.abort();
  }

  /** Carries out a call of one service to another: from validation on, the same way. */
  async invoke(service: string, operation: string, input: unknown, authority: Authority): Promise<unknown> {
    const target = this.#operations.find(service, operation);
    try {
      return await this.#carryOut(target, input, this.#internalCall(target, authority));
    } catch (error) {
      throw toServiceError(error, target.service, this.#options.logger);
    }
  }

  async refusals(
    service: string,
    operation: string,
    input: unknown,
    authority: Authority,
  ): Promise<readonly AccessRefusal[]> {
    const target = this.#operations.find(service, operation);
    const call = this.#internalCall(target, authority);
    try {
      const refusals: AccessRefusal[] = [];
      for (const request of await accessRequestsOf(target, input, call)) {
        const refusal = await call.refusalOf(request);
        if (refusal !== undefined) refusals.push(refusal);
      }
      return refusals;
    } catch (error) {
      throw toServiceError(error, target.service, this.#options.logger);
    }
  }

  #internalCall(target: Target, authority: Authority): GatewayCall {
    const { caller, region, via, requestId } = authority;
    const facts = {
      requestId: this.#options.randomness.uuid(),
      parentRequestId: requestId,
      caller,
      region,
      now: this.#options.clock.now(),
      source: internalSource(authority),
      via,
      body: undefined,
      trailers: {},
      signal: neverAborted,
    };
    return new GatewayCall(facts, target.service, this.#options.authorizer);
  }

  /** A website shows what an anonymous caller may read: each object that it looks at is asked for as any other request. */
  async #answerWebsite(request: ReceivedRequest, requestId: string, signal: () => AbortSignal, notes: ExchangeNotes) {
    const { service } = this.#fallback;
    const { websiteFromHost: bucket = '', method, host, isSecure } = request;
    if (service.website === undefined) throw new Error('There are no websites.');
    const key = percentDecode(request.path.slice(1));
    const source = { ...sourceOf(request, undefined, this.#options.clock.now()), authType: 'ANONYMOUS' } as const;
    const ask = async (operation: string, wanted: string, headers: Readonly<Record<string, string>>) => {
      const target = this.#operations.find(service.name, operation);
      const labels = { Bucket: bucket, Key: wanted };
      const input = target.wire.decode({ labels, query: new Map(), headers, body: EMPTY });
      const rest = { requestId, body: undefined, trailers: {}, signal };
      const call = this.#callOf(target, undefined, source, undefined, rest);
      notes.asked(input, call);
      return { target, output: await this.#carryOut(target, input, call), call };
    };
    const reader: WebsiteReader<ReadAnswer> = {
      async read(wanted, isWhatWasAsked) {
        const headers = isWhatWasAsked ? conditionsOf(request) : {};
        const { target, output, call } = await ask('GetObject', wanted, headers);
        const encoded = target.wire.encode(output, requestId);
        const redirect = encoded.headers['x-amz-website-redirect-location'];
        if (redirect !== undefined) encoded.stream?.destroy();
        return { redirect: redirect?.toString(), answer: { encoded, status: call.reply.status } };
      },
      async head(wanted) {
        await ask('HeadObject', wanted, {});
      },
    };
    const answer = await service.website.answer({ bucket, key, method, host, isSecure }, reader);
    const labels = { Bucket: bucket, Key: key };
    const headers = await crossOriginHeaders({ service: this.#fallback, labels }, request);
    return { answer: encodeWebsiteAnswer(answer, requestId), headers };
  }

  async #matchForm(request: RoutedRequest, body: RequestBody): Promise<RoutingMatch | RoutingFailure> {
    const form = parseQuery((await body.whole(MAX_BODY)).toString('utf8'));
    const matched = this.#router.match({ ...request, form });
    // The decoder reads the form from the body itself: joined in here, each of its parameters would stand twice.
    return 'error' in matched ? matched : { ...matched, query: parseQuery(request.query) };
  }

  /** @returns `undefined` for an anonymous request */
  async #authenticate(
    claim: ReadClaim,
    request: ReceivedRequest,
    body: RequestBody,
    target: Target,
  ): Promise<Authentication | undefined> {
    if (claim.failure !== undefined) throw claim.failure;
    if (claim.read === undefined) {
      if (target.built?.isAuthenticationRequired === false) return undefined;
      throw new AuthFailure('missing-token', 'Missing Authentication Token');
    }
    const { scope } = claim.read;
    if (!target.service.signingNames.includes(scope.service)) {
      throw new AuthFailure(
        'wrong-scope',
        `Credential should be scoped to correct service: '${target.service.signingNames[0]}'.`,
      );
    }
    if (claim.read.version !== 'AWS' && !isRegion(scope.region)) {
      const kind = claim.read.form === 'query' ? 'wrong-scope-query' : 'wrong-scope';
      // s3cmd signs for `US` until it is told better, and goes by this member.
      throw new AuthFailure(kind, `Credential should be scoped to a valid region, not '${scope.region}'.`, {
        Region: 'us-east-1',
      });
    }
    const bodyHash = async () => sha256Hex(await body.whole(MAX_BODY));
    const { authenticator } = this.#options;
    const isEndless = target.built?.exchange === 'duplex';
    const payload = isEndless ? 'endless' : target.wire.streamsInput ? 'streamed' : bodyHash;
    return authenticator.authenticate(claim.read, request, payload);
  }

  async #parse(
    match: RoutingMatch,
    request: ReceivedRequest,
    body: RequestBody,
    authentication: Authentication | undefined,
  ) {
    const { operation, labels, query } = match;
    const parts = { labels, query, headers: request.mergedHeaders };
    if (operation.streamsInput) {
      const input = operation.decode({ ...parts, body: EMPTY });
      const { stream, trailers } = body.stream(authentication);
      return { input, stream, trailers };
    }
    const bytes = await body.wholeChecked(MAX_BODY, authentication);
    match.service.service.checkBody?.(operation.name, request.header, bytes);
    return { input: operation.decode({ ...parts, body: bytes }), stream: undefined, trailers: {} };
  }

  /** A form is the request that its fields describe, and goes the same way: through PutObject's door. */
  async #carryOutForm(
    match: RoutingMatch,
    target: Target,
    received: ReceivedRequest,
    { read, failure }: ReadClaim,
    { requestId, body, signal, notes }: FormExchange,
  ): Promise<EncodedResponse> {
    notes.isForm = true;
    if (failure !== undefined) throw failure;
    if (read !== undefined) throw new AuthFailure('two-mechanisms', 'Only one auth mechanism allowed');
    const { stream } = body.stream(undefined);
    try {
      const form = await readFormUpload(match.labels['Bucket'] ?? '', received.header('content-type'), stream);
      const { authenticator, clock } = this.#options;
      const authentication = form.claim && (await authenticator.authenticateForm(form.claim));
      const size = form.checkPolicy(clock.now());
      const request = formRequest(received, form);
      const labels = { Bucket: form.bucket, Key: form.key };
      const input = target.wire.decode({ labels, query: new Map(), headers: request.mergedHeaders, body: EMPTY });
      const file = Readable.from(form.file, { objectMode: false });
      const source = formSource(sourceOf(request, undefined, clock.now()), form, size);
      const rest = { requestId, body: file, trailers: {}, signal };
      const call = this.#callOf(target, form.claim?.scope, source, authentication, rest);
      notes.asked(input, call);
      const output = await this.#carryOut(target, input, call);
      notes.output = output;
      return formAnswer(form, target.wire.encode(output, requestId), addressOf(received));
    } finally {
      // A file that nobody wants is let go, so that the answer is not kept waiting for it.
      stream.destroy();
    }
  }

  #callOf(
    target: Target,
    scope: CredentialScope | undefined,
    source: RequestSource,
    authentication: Authentication | undefined,
    rest: Pick<CallFacts, 'requestId' | 'body' | 'trailers' | 'signal'>,
  ): GatewayCall {
    const region = scope?.region ? (scope.region as Region) : this.#options.defaultRegion;
    const facts = {
      ...rest,
      parentRequestId: undefined,
      caller: authentication?.caller ?? anonymousCaller,
      region,
      now: this.#options.clock.now(),
      source,
      via: [],
    };
    return new GatewayCall(facts, target.service, this.#options.authorizer);
  }

  /** When an exchange that is not short comes to its end, whatever its client wants. */
  #endOf(response: ServerResponse, authentication: Authentication | undefined): AbortSignal {
    const expiry = expiryOf(authentication, this.#options.clock.now());
    return AbortSignal.any([abortSignalOf(response), this.#end.signal, expiry]);
  }

  /** Validate → authorise → handle → audit. */
  async #carryOut(target: Target, input: unknown, call: GatewayCall): Promise<unknown> {
    const { built, service, wire } = target;
    if (built === undefined) throw notImplemented(target);
    const { audit, clock, logger } = this.#options;
    try {
      const violations = wire.validate(input);
      if (violations.length > 0) throw service.errors.validation(violations);
      if (call.via.length === 0) service.checkCaller?.(wire.name, call.caller);
      // INVARIANT: the handler runs only after every declared access request was allowed.
      await authorize(target, input, call);
      const output = await built.handle(input, call, service.context);
      audit.append(auditRecordOf(target, input, call, clock.now(), undefined));
      logger.debug({ requestId: call.requestId, operation: `${service.name}:${wire.name}` }, 'carried out');
      return output;
    } catch (error) {
      const failure = toServiceError(error, service, logger.child({ requestId: call.requestId }));
      if (!isAnsweredQuestion(call, failure)) audit.append(auditRecordOf(target, input, call, clock.now(), failure));
      const { code } = failure;
      logger.debug({ requestId: call.requestId, operation: `${service.name}:${wire.name}`, code }, 'refused or failed');
      throw failure;
    }
  }
}

/**
 * A service that asks another by a dry run whether it may use what it holds, and may: the use stands in the asking
 * operation's own record, with the resource. A refusal is recorded as any other.
 */
function isAnsweredQuestion(call: GatewayCall, failure: ServiceError): boolean {
  return call.via.length > 0 && failure.code === 'DryRunOperationException';
}

async function authorize(target: Target, input: unknown, call: GatewayCall): Promise<void> {
  for (const request of await accessRequestsOf(target, input, call)) await call.require(request);
}

async function accessRequestsOf(target: Target, input: unknown, call: GatewayCall): Promise<readonly AccessRequest[]> {
  const declared = target.built?.authorize;
  if (typeof declared !== 'function') return [];
  const requests = await declared(input, call, target.service.context);
  if (requests.length === 0) throw new Error(`${target.service.name}:${target.wire.name} asked for no access at all.`);
  return requests;
}

/** What a form's request comes with. */
interface FormExchange {
  readonly requestId: string;
  readonly body: RequestBody;
  readonly signal: () => AbortSignal;
  readonly notes: ExchangeNotes;
}

/** What of a request to a website is about the object: neither a signature nor a version can be asked for there. */
function conditionsOf(request: ReceivedRequest): Readonly<Record<string, string>> {
  const names = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
  const found = names.map((name) => [name, request.header(name)] as const);
  return Object.fromEntries(found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** A claim that could not be read is answered only when it is known in which service's words. */
interface ReadClaim {
  readonly read: Claim | undefined;
  readonly failure: AuthFailure | undefined;
  /** The service that the claim names; without a claim nothing is known of it. */
  readonly signingName: string | undefined;
}

function readClaimOf(request: ReceivedRequest): ReadClaim {
  try {
    const read = readClaim(request);
    return { read, failure: undefined, signingName: read?.scope.service };
  } catch (error) {
    if (error instanceof AuthFailure) return { read: undefined, failure: error, signingName: claimedService(request) };
    throw error;
  }
}

/** An exchange does not outlive the credentials that it was begun with. */
function expiryOf(authentication: Authentication | undefined, now: number): AbortSignal {
  const caller = authentication?.caller;
  const session = caller !== undefined && 'session' in caller ? caller.session : undefined;
  return session === undefined ? NEVER_ABORTED : AbortSignal.timeout(Math.max(0, session.expiresAt - now));
}

function abortSignalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const end = (): void => {
    if (!response.writableFinished) controller.abort();
  };
  if (response.closed) end();
  else response.once('close', end);
  return controller.signal;
}
