import type { EvaluationResult, Statement } from '@aws-sdk/client-iam';
import { parseArn } from '#kernel/arn.ts';
import type { RequestContext } from '#policy/condition.ts';
import { type Decision, evaluate, type EvaluationRequest, isAboutPrincipal, questionOf } from '#policy/evaluate.ts';
import type { PrincipalFacts } from '#policy/principal.ts';
import {
  contextKeysOf,
  distinctKeys,
  type SimulatedPolicy,
  type StatementPositions,
  statementPositions,
} from './simulated-policy.ts';

/** What is the same for every action and resource of a simulation. */
export interface Simulation {
  readonly principal: PrincipalFacts;
  readonly identity: readonly SimulatedPolicy[];
  readonly boundary: SimulatedPolicy | undefined;
  readonly resource: SimulatedPolicy | undefined;
  /** Whose a resource is whose ARN does not say so; absent where nobody said. */
  readonly resourceOwner: string | undefined;
  readonly context: RequestContext;
}

type EvalDecision = 'allowed' | 'explicitDeny' | 'implicitDeny';

/** Puts actions on resources to the policy engine, and nothing else: nothing is looked up, nothing is done. */
export class Simulator {
  readonly #simulation: Simulation;
  /** By text of the policy. */
  readonly #positions = new Map<string, readonly StatementPositions[]>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** @param resource `undefined` where no resources were given, which means all of them */
  run(action: string, resource: string | undefined): EvaluationResult {
    const request = this.#requestFor(action, resource ?? '*');
    const decision = evaluate(request);
    const EvalDecision = nameOf(decision);
    const MatchedStatements = this.#matched(request, decision);
    const MissingContextValues = this.#missing(request);
    const { boundary } = this.#simulation;
    const detail =
      boundary === undefined
        ? {}
        : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: isAllowedBy(boundary, request) } };
    const base = { EvalActionName: action, EvalResourceName: resource ?? '*', EvalDecision, MatchedStatements };
    if (resource === undefined || resource === '*') return { ...base, MissingContextValues, ...detail };
    const EvalDecisionDetails = request.isCrossAccount ? detailsOf(request) : {};
    const specific = { EvalResourceName: resource, EvalResourceDecision: EvalDecision, MatchedStatements };
    return {
      ...base,
      MissingContextValues: [],
      EvalDecisionDetails,
      ...detail,
      ResourceSpecificResults: [{ ...specific, MissingContextValues, EvalDecisionDetails, ...detail }],
    };
  }

  #requestFor(action: string, resource: string): EvaluationRequest {
    const { principal, identity, boundary, resource: own, resourceOwner, context } = this.#simulation;
    const arn = parseArn(resource);
    const owner = arn === undefined || arn.account === '' ? resourceOwner : arn.account;
    const isMentioned = own !== undefined || resourceOwner !== undefined;
    return {
      principal,
      action,
      resource,
      context,
      policies: {
        identity,
        session: [],
        ...(boundary !== undefined && { boundary }),
        ...(own !== undefined && {
          resource: { name: own.name, policy: own.policy, isRequired: arn?.service === 'kms', kind: 'resource-based' },
        }),
      },
      isCrossAccount: isMentioned && owner !== undefined && owner !== principal.accountId,
    };
  }

  /** The statements that decided: those that deny, or else all that allow. */
  #matched(request: EvaluationRequest, decision: Decision): Statement[] {
    if (!decision.isAllowed && !decision.isExplicitDeny) return [];
    const effect = decision.isAllowed ? 'Allow' : 'Deny';
    const { identity, boundary, resource } = this.#simulation;
    const question = questionOf(request);
    const policies = [...identity, ...(boundary === undefined || decision.isAllowed ? [] : [boundary]), resource];
    const matched: Statement[] = [];
    for (const item of policies) {
      if (item === undefined) continue;
      for (const statement of item.policy.statements) {
        if (statement.effect !== effect || !statement.applies(question)) continue;
        if (item === resource && !isAboutPrincipal(statement, request.principal)) continue;
        const positions = this.#positionsIn(item)[statement.index];
        matched.push({ SourcePolicyId: item.name, SourcePolicyType: item.type, ...positions });
      }
    }
    return matched;
  }

  /** The keys that statements about the action ask for, and that nobody gave. */
  #missing(request: EvaluationRequest): string[] {
    const { identity, boundary, resource, context } = this.#simulation;
    const question = questionOf(request);
    const keys: string[] = [];
    for (const item of [...identity, boundary, resource]) {
      for (const statement of item?.policy.statements ?? []) {
        if (item === undefined || !statement.appliesToAction(question)) continue;
        keys.push(...contextKeysOf(item.policy, statement.index));
      }
    }
    return distinctKeys(keys).filter((key) => !context.has(key.toLowerCase()));
  }

  #positionsIn({ text }: SimulatedPolicy): readonly StatementPositions[] {
    let positions = this.#positions.get(text);
    if (positions === undefined) {
      positions = statementPositions(text);
      this.#positions.set(text, positions);
    }
    return positions;
  }
}

function nameOf({ isAllowed, isExplicitDeny }: Pick<Decision, 'isAllowed' | 'isExplicitDeny'>): EvalDecision {
  if (isAllowed) return 'allowed';
  return isExplicitDeny ? 'explicitDeny' : 'implicitDeny';
}

function isAllowedBy({ policy }: SimulatedPolicy, request: EvaluationRequest): boolean {
  const question = questionOf(request);
  const applying = policy.statements.filter((statement) => statement.applies(question));
  return applying.some(({ effect }) => effect === 'Allow') && applying.every(({ effect }) => effect === 'Allow');
}

/** What each side says by itself, where the resource belongs to another account. */
function detailsOf(request: EvaluationRequest): Record<string, EvalDecision> {
  const { identity, boundary, resource } = request.policies;
  const question = questionOf(request);
  const decide = (statements: readonly { readonly effect: 'Allow' | 'Deny' }[]): EvalDecision => {
    if (statements.some(({ effect }) => effect === 'Deny')) return 'explicitDeny';
    return statements.length > 0 ? 'allowed' : 'implicitDeny';
  };
  const applying = (policies: readonly { readonly policy: SimulatedPolicy['policy'] }[]) =>
    policies.flatMap(({ policy }) => policy.statements.filter((statement) => statement.applies(question)));
  const ofResource = resource?.policy === undefined ? [] : applying([{ policy: resource.policy }]);
  return {
    'IAM Policy': decide(applying(identity)),
    ...(boundary !== undefined && { 'Permissions Boundary Policy': decide(applying([boundary])) }),
    'Resource Policy': decide(ofResource.filter((statement) => isAboutPrincipal(statement, request.principal))),
  };
}
