import type { Readable } from 'node:stream';
import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import type { AllowedAccess } from '#kernel/audit.ts';
import type { Caller } from '#kernel/caller.ts';
import type { AccessRefusal, Authority } from '#kernel/door.ts';
import { type AccountId, isAccountId, type Region } from '#kernel/ids.ts';
import type { AccessRequest, Call, RequestSource } from '#kernel/operation.ts';
import type { Service } from '#kernel/service.ts';
import { type RefusalEncoding, withAuthorizationMessage } from './refusal-encoding.ts';
import type { Authorizer, CallAuthorizer, Verdict } from './authorizer.ts';

/** How many refusals of one call are explained in the audit log: a call for many items may be refused each of them. */
const MAX_EXPLAINED = 4;
/** As many objects as one call can delete, and its bucket. */
const MAX_ACCESSES = 1001;

/** What the gateway knows of a call when it begins to carry it out. */
export interface CallFacts {
  readonly requestId: string;
  readonly parentRequestId: string | undefined;
  readonly caller: Caller;
  readonly region: Region;
  readonly now: number;
  readonly source: RequestSource;
  readonly via: readonly string[];
  readonly body: Readable | undefined;
  readonly trailers: Readonly<Record<string, string>>;
  /** Made when somebody asks for it: few do. */
  readonly signal: () => AbortSignal;
}

/** One call on its way through the pipeline: what handlers see, and what authorisation and audit gather. */
export class GatewayCall implements Call {
  readonly requestId: string;
  readonly parentRequestId: string | undefined;
  readonly caller: Caller;
  readonly region: Region;
  readonly now: number;
  readonly source: RequestSource;
  readonly via: readonly string[];
  readonly body: Readable | undefined;
  readonly trailers: Readonly<Record<string, string>>;
  readonly reply: Call['reply'] = { headers: {} };
  readonly audit: Call['audit'] = { resources: new Set<string>(), details: {} };
  /** The policies and statements that allowed it, for the audit log. */
  readonly allowedBy = new Set<string>();
  /** Whose resources were asked for: a bucket's ARN does not say it. */
  readonly owners = new Set<AccountId>();
  /** The accesses that were allowed, each once, for the audit log. */
  readonly accesses = new Map<string, AllowedAccess>();
  accessesLeftOut = 0;
  /** How the first accesses that were refused were decided, for the audit log. */
  readonly refusals: AccessEvaluation[] = [];
  readonly #makeSignal: () => AbortSignal;
  #signal: AbortSignal | undefined;
  readonly #service: Service;
  readonly #authorizer: CallAuthorizer;
  readonly #encoding: RefusalEncoding;

  constructor(facts: CallFacts, service: Service, authorizer: Authorizer) {
    this.requestId = facts.requestId;
    this.parentRequestId = facts.parentRequestId;
    this.caller = facts.caller;
    this.region = facts.region;
    this.now = facts.now;
    this.source = facts.source;
    this.via = facts.via;
    this.body = facts.body;
    this.trailers = facts.trailers;
    this.#makeSignal = facts.signal;
    this.#service = service;
    this.#authorizer = authorizer.forCall(facts.caller, facts);
    this.#encoding = authorizer.encoding;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  forward(service: string): Authority {
    const { caller, region, requestId, source } = this;
    return {
      caller,
      region,
      via: [...this.via, `${service}.${region}.amazonaws.com`],
      requestId,
      sourceIp: source.sourceIp,
      userAgent: source.userAgent,
      isSecure: source.isSecure,
    };
  }

  async isAllowed(request: AccessRequest): Promise<boolean> {
    return (await this.#authorizer.decide(request)).decision.isAllowed;
  }

  async require(request: AccessRequest): Promise<void> {
    if (request.resource.startsWith('arn:')) this.audit.resources.add(request.resource);
    for (const account of [request.resourceAccount, request.placeAccount]) {
      if (account !== undefined && isAccountId(account)) this.owners.add(account);
    }
    const verdict = await this.#authorizer.decide(request);
    if (!verdict.decision.isAllowed) {
      const evaluation = this.refusals.length < MAX_EXPLAINED ? verdict.explain() : undefined;
      if (evaluation !== undefined) this.refusals.push(evaluation);
      throw this.#refusal(request, verdict, evaluation);
    }
    const { action, resource } = request;
    if (this.accesses.size < MAX_ACCESSES) this.accesses.set(`${action} ${resource}`, { action, resource });
    else this.accessesLeftOut += 1;
    const by = verdict.decision.decidedBy;
    if (by !== undefined) this.allowedBy.add(`${by.policyName}#${by.sid ?? by.statementIndex}`);
  }

  /** As `require`, but tells. */
  async refusalOf(request: AccessRequest): Promise<AccessRefusal | undefined> {
    const { decision, message } = await this.#authorizer.decide(request);
    if (decision.isAllowed) return undefined;
    const { action, resource } = request;
    return { action, resource, message, isExplicitDeny: decision.isExplicitDeny };
  }

  #refusal(request: AccessRequest, verdict: Verdict, evaluation: AccessEvaluation | undefined): Error {
    // S3 explains itself only within an account (S3 user guide, "Troubleshoot access denied errors").
    const isTold =
      this.#service.protocol !== 'restXml' ||
      (!verdict.isCrossAccount && request.placeAccount === undefined && this.caller.type !== 'anonymous');
    const message = isTold ? verdict.message : 'Access Denied';
    // INVARIANT: what must not be told apart from what is absent carries nothing that could tell it apart.
    if (request.refusal !== undefined) return request.refusal(message);
    const refusal = this.#service.errors.accessDenied(message);
    if (!isTold || evaluation === undefined) return refusal;
    return withAuthorizationMessage(refusal, evaluation, this.#encoding);
  }
}
