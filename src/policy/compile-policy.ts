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

/** A policy prepared for evaluation. Without ties to a request: cache it as long as the document lives. */
export interface CompiledPolicy {
  readonly document: PolicyDocument;
  readonly statements: readonly CompiledStatement[];
  /**
   * The statements about an action, found once for each action that is asked for.
   * @param action lower-case
   */
  about(action: string): ActionStatements;
}

interface ActionStatements {
  readonly Allow: readonly CompiledStatement[];
  readonly Deny: readonly CompiledStatement[];
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
  /** One for each of the source's conditions. */
  readonly conditions: readonly ConditionTest[];
  /** Whether action, resource and conditions apply; principals are looked at apart. */
  applies(request: StatementRequest): boolean;
  appliesToAction(request: Pick<StatementRequest, 'action'>): boolean;
  appliesToResource(request: StatementRequest): boolean;
  /** As `applies`, of statements that `about` has found for the action. */
  isMetBy(request: StatementRequest): boolean;
}

/**
 * Reads, checks and prepares a policy document.
 * @throws PolicyDocumentError
 */
export function compilePolicy(json: string, kind: PolicyKind): CompiledPolicy {
  return new DocumentMatcher(parseDocument(json, kind));
}

/** A policy that allows nothing: in the place of one that is gone, so that its absence does not widen. */
export function emptyPolicy(): CompiledPolicy {
  return new DocumentMatcher({ version: '2012-10-17', statements: [] });
}

/** More actions than one principal ever asks for; a policy that is asked for more forgets, and finds them again. */
const MAX_ACTIONS = 128;

class DocumentMatcher implements CompiledPolicy {
  readonly document: PolicyDocument;
  readonly statements: readonly CompiledStatement[];
  readonly #byAction = new Map<string, ActionStatements>();

  constructor(document: PolicyDocument) {
    this.document = document;
    const hasVariables = document.version === '2012-10-17';
    this.statements = document.statements.map((source, index) => new StatementMatcher(source, index, hasVariables));
  }

  about(action: string): ActionStatements {
    let found = this.#byAction.get(action);
    if (found === undefined) {
      const matching = this.statements.filter((statement) => statement.appliesToAction({ action }));
      found = {
        Allow: matching.filter(({ effect }) => effect === 'Allow'),
        Deny: matching.filter(({ effect }) => effect === 'Deny'),
      };
      if (this.#byAction.size >= MAX_ACTIONS) this.#byAction.clear();
      this.#byAction.set(action, found);
    }
    return found;
  }
}

/** What a statement asks of requests is prepared when the first one comes that it is about: most never do. */
class StatementMatcher implements CompiledStatement {
  readonly index: number;
  readonly source: Statement;
  readonly #hasVariables: boolean;
  #resources: readonly Template[] | undefined;
  #conditions: readonly ConditionTest[] | undefined;

  constructor(source: Statement, index: number, hasVariables: boolean) {
    this.index = index;
    this.source = source;
    this.#hasVariables = hasVariables;
  }

  get sid(): string | undefined {
    return this.source.sid;
  }

  get effect(): 'Allow' | 'Deny' {
    return this.source.effect;
  }

  get principal(): PrincipalElement | undefined {
    return this.source.principal;
  }

  get isNotPrincipal(): boolean {
    return this.source.isNotPrincipal;
  }

  get conditions(): readonly ConditionTest[] {
    const { conditions, effect } = this.source;
    const hasVariables = this.#hasVariables;
    this.#conditions ??= conditions.map(({ operator, key, values }) =>
      compileCondition(operator, key, values, { hasVariables, effect }),
    );
    return this.#conditions;
  }

  appliesToAction({ action }: Pick<StatementRequest, 'action'>): boolean {
    const { actions, isNotAction } = this.source;
    return actions.some((pattern) => isActionLike(pattern.toLowerCase(), action)) !== isNotAction;
  }

  appliesToResource({ resource, lookup }: StatementRequest): boolean {
    this.#resources ??= this.source.resources.map((pattern) =>
      compileTemplate(pattern, { hasWildcards: true, hasVariables: this.#hasVariables }),
    );
    return isAboutResource(this.source, this.#resources, resource, lookup);
  }

  applies(request: StatementRequest): boolean {
    return this.appliesToAction(request) && this.isMetBy(request);
  }

  isMetBy(request: StatementRequest): boolean {
    if (!this.appliesToResource(request)) return false;
    for (const test of this.conditions) if (!test(request.context, request.lookup)) return false;
    return true;
  }
}

/** Actions have no variables; both are lower-case. */
function isActionLike(pattern: string, action: string): boolean {
  if (pattern === '*' || pattern === action) return true;
  if (!/[*?]/.test(pattern)) return false;
  return compileTemplate(pattern, { hasWildcards: true, hasVariables: false }).matches(action, noVariables);
}

const noVariables: VariableLookup = () => undefined;

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
