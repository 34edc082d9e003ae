import { type ConditionTest, compileCondition, type RequestContext } from './condition.ts';
import type { PolicyDocument, PolicyKind, Statement } from './document.ts';
import { parseDocument } from './parse-document.ts';
import type { PrincipalElement } from './principal-element.ts';
import { compileTemplate, type Template, type VariableLookup } from './template.ts';

/** The part of a question that every statement is held against. */
export interface StatementRequest {
  /** Lower-case. */
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
  readonly lookup: VariableLookup;
}

/** A policy prepared for evaluation. Immutable, without ties to a request: cache it as long as the document lives. */
export interface CompiledPolicy {
  readonly document: PolicyDocument;
  readonly statements: readonly CompiledStatement[];
}

export interface CompiledStatement {
  /** The place in the document, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principal: PrincipalElement | undefined;
  readonly isNotPrincipal: boolean;
  /** As it was written. */
  readonly source: Statement;
  /** Whether action, resource and conditions apply; principals are looked at apart. */
  applies(request: StatementRequest): boolean;
  appliesToAction(request: StatementRequest): boolean;
  appliesToResource(request: StatementRequest): boolean;
  /** One for each of the source's conditions. */
  readonly conditions: readonly ConditionTest[];
}

/**
 * Reads, checks and prepares a policy document.
 * @throws PolicyDocumentError
 */
export function compilePolicy(json: string, kind: PolicyKind): CompiledPolicy {
  const document = parseDocument(json, kind);
  const hasVariables = document.version === '2012-10-17';
  return {
    document,
    statements: document.statements.map((statement, at) => compileStatement(statement, at, hasVariables)),
  };
}

function compileStatement(source: Statement, index: number, hasVariables: boolean): CompiledStatement {
  const { sid, effect, principal, isNotPrincipal, isNotAction } = source;
  const actions = source.actions.map((action) =>
    compileTemplate(action, { hasWildcards: true, hasVariables: false, isCaseInsensitive: true }),
  );
  const resources = source.resources.map((resource) => compileTemplate(resource, { hasWildcards: true, hasVariables }));
  const conditions: readonly ConditionTest[] = source.conditions.map(({ operator, key, values }) =>
    compileCondition(operator, key, values, { hasVariables, effect }),
  );
  const appliesToAction = ({ action, lookup }: StatementRequest): boolean =>
    actions.some((pattern) => pattern.matches(action, lookup)) !== isNotAction;
  const appliesToResource = ({ resource, lookup }: StatementRequest): boolean =>
    isAboutResource(source, resources, resource, lookup);
  return {
    index,
    sid,
    effect,
    principal,
    isNotPrincipal,
    source,
    conditions,
    appliesToAction,
    appliesToResource,
    applies: (request) =>
      appliesToAction(request) &&
      appliesToResource(request) &&
      conditions.every((test) => test(request.context, request.lookup)),
  };
}

function isAboutResource(
  statement: Statement,
  resources: readonly Template[],
  resource: string,
  lookup: VariableLookup,
): boolean {
  // A trust policy names no resources: it is about its role.
  if (resources.length === 0) return true;
  const isListed = resources.some((pattern) => pattern.matches(resource, lookup));
  if (!statement.isNotResource) return isListed;
  // INVARIANT: an exception that cannot be read (a variable without a value) does not widen an Allow.
  if (statement.effect === 'Allow' && !resources.every((pattern) => pattern.isResolvable(lookup))) return false;
  return !isListed;
}
