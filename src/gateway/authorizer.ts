import type { AccessEvaluation } from '#kernel/access-evaluation.ts';
import { accountOf, anonymousCaller, type Caller, nameOf } from '#kernel/caller.ts';
import type { Region } from '#kernel/ids.ts';
import type { AccessRequest, RequestSource, ResourcePolicy } from '#kernel/operation.ts';
import type { RequestContext } from '#policy/condition.ts';
import { granteeNamesOf, type GrantSources } from '#policy/key-grants.ts';
import { type Decision, evaluate, type EvaluationRequest, type ResourcePolicySource } from '#policy/evaluate.ts';
import { explainEvaluation } from '#policy/explain-evaluation.ts';
import { PolicyCache } from '#policy/policy-cache.ts';
import { principalFactsOf } from '#policy/principal.ts';
import { refusalMessage } from '#policy/refusal-message.ts';
import { callContext, requestContext } from './condition-context.ts';
import type { RefusalEncoding } from './refusal-encoding.ts';
import type { PrincipalPolicies, PrincipalPolicySource } from './principal-policies.ts';

const NO_POLICIES: PrincipalPolicies = { identity: [], session: [], principalTags: {} };

/** The policy engine's answer to one question, with its words. */
export interface Verdict {
  readonly decision: Decision;
  /** `User: … is not authorized to perform: …`; only for refusals. */
  readonly message: string;
  readonly isCrossAccount: boolean;
  /** How it came about, statement by statement. */
  explain(): AccessEvaluation;
}

/** Asks the policy engine on behalf of one call; the principal's policies are looked up once a call. */
export class CallAuthorizer {
  readonly #authorizer: Authorizer;
  readonly #caller: Caller;
  readonly #facts: CallFacts;
  #prepared: Promise<{ policies: PrincipalPolicies; context: RequestContext }> | undefined;

  constructor(authorizer: Authorizer, caller: Caller, facts: CallFacts) {
    this.#authorizer = authorizer;
    this.#caller = caller;
    this.#facts = facts;
  }

  async decide(request: AccessRequest): Promise<Verdict> {
    this.#prepared ??= this.#prepare();
    const { policies, context } = await this.#prepared;
    if (request.identityProvider !== undefined) return this.#decideForToken(request);
    const keys = requestContext(context, request, this.#caller);
    const verdict = this.#authorizer.decide(request, this.#caller, policies, keys);
    const { isAllowed, isExplicitDeny } = verdict.decision;
    if (request.grants === undefined || isAllowed || isExplicitDeny) return verdict;
    // Grants are many, and most requests need none: they are looked for when nothing else has decided.
    const { find, ...rest } = request.grants;
    const grants = await find(granteeNamesOf(principalFactsOf(this.#caller, policies.canonicalId)));
    if (grants.length === 0) return verdict;
    return this.#authorizer.decide(request, this.#caller, policies, keys, { ...rest, grants });
  }

  /** The token says who asks, whoever else has signed. */
  #decideForToken(request: AccessRequest): Verdict {
    const context = requestContext(callContext(anonymousCaller, NO_POLICIES, this.#facts), request, anonymousCaller);
    return this.#authorizer.decide(request, anonymousCaller, NO_POLICIES, context);
  }

  async #prepare() {
    const policies = await this.#authorizer.source.policiesOf(this.#caller);
    return { policies, context: callContext(this.#caller, policies, this.#facts) };
  }
}

interface CallFacts {
  readonly region: Region;
  readonly now: number;
  readonly source: RequestSource;
  readonly via: readonly string[];
}

/** The authorise stage: everything that is allowed in this platform is allowed here. */
export class Authorizer {
  readonly source: PrincipalPolicySource;
  readonly encoding: RefusalEncoding;
  /** A policy that was stored was checked when it came; compiling it again is work, not a decision. */
  readonly #compiled: Readonly<Record<ResourcePolicy['kind'], PolicyCache>> = {
    'resource-based': new PolicyCache('resource'),
    'role-trust': new PolicyCache('trust'),
  };

  constructor(source: PrincipalPolicySource, encoding: RefusalEncoding) {
    this.source = source;
    this.encoding = encoding;
  }

  /** How many policies of resources were compiled so far. */
  get compilations(): number {
    return Object.values(this.#compiled).reduce((sum, cache) => sum + cache.compilations, 0);
  }

  forCall(caller: Caller, facts: CallFacts): CallAuthorizer {
    return new CallAuthorizer(this, caller, facts);
  }

  decide(
    request: AccessRequest,
    caller: Caller,
    policies: PrincipalPolicies,
    context: RequestContext,
    grants?: GrantSources,
  ): Verdict {
    const account = accountOf(caller);
    const isCrossAccount = request.resourceAccount !== undefined && request.resourceAccount !== account;
    const { identity, boundary, session } = policies;
    const resource = this.#resourcePolicy(request);
    const evaluation: EvaluationRequest = {
      principal: principalFactsOf(caller, policies.canonicalId, request.identityProvider),
      action: request.action,
      resource: request.resource,
      context,
      policies: {
        identity,
        session,
        ...(boundary === undefined ? {} : { boundary }),
        ...(resource === undefined ? {} : { resource }),
        ...(grants === undefined ? {} : { grants }),
        ...(request.acl === undefined ? {} : { acl: request.acl }),
      },
      isCrossAccount,
    };
    const decision = evaluate(evaluation);
    const message = decision.isAllowed
      ? ''
      : refusalMessage(nameOf(caller), request.action, request.resource, decision);
    const explain = (): AccessEvaluation => ({
      ...evaluationOf(request, caller, decision),
      isCrossAccount,
      ...explainEvaluation(evaluation, decision),
    });
    return { decision, message, isCrossAccount, explain };
  }

  #resourcePolicy(request: AccessRequest): ResourcePolicySource | undefined {
    const given = request.resourcePolicy;
    if (given === undefined) return undefined;
    const { isRequired, isDenyOnly = false, kind } = given;
    const named = { name: request.resource, isRequired, isDenyOnly, kind };
    return given.document === undefined ? named : { ...named, policy: this.#compiled[kind].get(given.document) };
  }
}

function evaluationOf(
  { action, resource, resourceAccount, placeAccount }: AccessRequest,
  caller: Caller,
  decision: Decision,
) {
  const account = accountOf(caller);
  const owner = resourceAccount ?? account;
  const name = nameOf(caller);
  return {
    action,
    resource,
    ...decision,
    principal: {
      type: caller.type,
      id: 'principalId' in caller ? caller.principalId : name,
      arn: name,
      ...('accountId' in caller && { account: caller.accountId }),
    },
    ...(owner !== undefined && { resourceAccount: owner }),
    ...(placeAccount !== undefined && { placeAccount }),
  };
}
