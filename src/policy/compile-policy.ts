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
  /** Whether action, resource and conditions apply; principals are looked at apart. */
  applies(request: StatementRequest): boolean;
}

/**
 * Reads, checks and prepares a policy document.
 * @throws PolicyDocumentError
 */
export function compilePolicy(json: string, kind: PolicyKind): CompiledPolicy {
  const document = parseDocument(json, kind);
  const hasVariables = document.version === '2012-10-17';
  const statements = document.statements.map((statement, index) => ({
    index,
    sid: statement.sid,
    effect: statement.effect,
    principal: statement.principal,
    isNotPrincipal: statement.isNotPrincipal,
    applies: compileStatement(statement, hasVariables),
  }));
  return { document, statements };
}

function compileStatement(statement: Statement, hasVariables: boolean): (request: StatementRequest) => boolean {
  const actions = statement.actions.map((action) =>
    compileTemplate(action, { hasWildcards: true, hasVariables: false, isCaseInsensitive: true }),
  );
  const resources = statement.resources.map((resource) =>
    compileTemplate(resource, { hasWildcards: true, hasVariables }),
  );
  const conditions: readonly ConditionTest[] = statement.conditions.map(({ operator, key, values }) =>
    compileCondition(operator, key, values, { hasVariables }),
  );
  return ({ action, resource, context, lookup }) =>
    actions.some((pattern) => pattern.matches(action, lookup)) !== statement.isNotAction &&
    appliesToResource(statement, resources, resource, lookup) &&
    conditions.every((test) => test(context, lookup));
}

function appliesToResource(
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
