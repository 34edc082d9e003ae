import { compileCondition, isConditionOperator } from './condition.ts';
import type { Condition, PolicyDocument, PolicyKind, PolicyVersion, Statement } from './document.ts';
import { type JsonMember, type JsonNode, type JsonObject, JsonSyntaxError, parseJsonTree } from './json-tree.ts';
import { OperandError } from './operators/operator.ts';
import { nameHint, rightPrefixOf } from './document-hints.ts';
import { PolicyDocumentError, type PolicyProblem } from './policy-document-error.ts';
import { type PrincipalElement, PrincipalElementBuilder } from './principal-element.ts';
import { compileTemplate, TemplateError } from './template.ts';

const SYNTAX = 'Syntax errors in policy.';
const VENDOR = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
export const STATEMENT_MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
]);
const POLICY_MEMBERS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement']);
const IDENTITY_SID = /^[0-9A-Za-z]*$/;

/**
 * Reads and checks a policy document. Everything that evaluation will meet is checked here.
 * @throws PolicyDocumentError
 */
export function parseDocument(text: string, kind: PolicyKind): PolicyDocument {
  return new DocumentParser(text, kind).parse();
}

class DocumentParser {
  readonly #text: string;
  readonly #kind: PolicyKind;
  #version: PolicyVersion = '2008-10-17';

  constructor(text: string, kind: PolicyKind) {
    this.#text = text;
    this.#kind = kind;
  }

  parse(): PolicyDocument {
    const root = this.#object(this.#readTree(), 'the policy');
    let id: string | undefined;
    let hasVersion = false;
    let statementNode: JsonNode | undefined;
    for (const { name, value, at } of root.members) {
      if (name === 'Version') {
        this.#version = this.#readVersion(value);
        hasVersion = true;
      } else if (name === 'Id') id = this.#string(value, 'Id');
      else if (name === 'Statement') statementNode = value;
      else
        throw this.#error('syntax', SYNTAX, `a policy has no element '${name}'${nameHint(name, POLICY_MEMBERS)}`, at);
    }
    if (this.#kind === 'managed' && (!hasVersion || this.#version !== '2012-10-17')) {
      const wording = 'Policy document must be version 2012-10-17 or greater.';
      throw this.#error('version', wording, 'a managed policy needs "Version": "2012-10-17"', root.at);
    }
    if (statementNode === undefined) throw this.#error('syntax', SYNTAX, 'the policy has no Statement', root.at);
    const nodes = statementNode.type === 'array' ? statementNode.items : [statementNode];
    if (nodes.length === 0) throw this.#error('syntax', SYNTAX, 'the Statement is empty', statementNode.at);
    const statements = nodes.map((node) => this.#readStatement(this.#object(node, 'a statement')));
    this.#checkSids(nodes, statements);
    return { version: this.#version, ...(id !== undefined && { id }), statements };
  }

  #readTree(): JsonNode {
    try {
      return parseJsonTree(this.#text);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      const wording = this.#kind === 'trust' ? 'This policy contains invalid Json.' : SYNTAX;
      throw this.#error('json', wording, error.message, error.at);
    }
  }

  #readVersion(node: JsonNode): PolicyVersion {
    const version = this.#string(node, 'Version');
    if (version !== '2012-10-17' && version !== '2008-10-17') {
      throw this.#error('version', SYNTAX, `there is no policy version '${version}'`, node.at);
    }
    return version;
  }

  #readStatement(node: JsonObject): Statement {
    const members = new Map<string, JsonMember>();
    for (const member of node.members) {
      if (!STATEMENT_MEMBERS.has(member.name)) {
        const hint = nameHint(member.name, STATEMENT_MEMBERS);
        throw this.#error('syntax', SYNTAX, `a statement has no element '${member.name}'${hint}`, member.at);
      }
      members.set(member.name, member);
    }
    const sid = members.get('Sid');
    const effect = this.#readEffect(members, node);
    const action = this.#oneOf(members, 'Action', 'NotAction');
    const resource = this.#oneOf(members, 'Resource', 'NotResource');
    const principal = this.#oneOf(members, 'Principal', 'NotPrincipal');
    const condition = members.get('Condition');
    const statement = {
      ...(sid && { sid: this.#readSid(sid.value) }),
      effect,
      actions: this.#readActions(action, node),
      isNotAction: action?.name === 'NotAction',
      resources: this.#readResources(resource, node),
      isNotResource: resource?.name === 'NotResource',
      isNotPrincipal: principal?.name === 'NotPrincipal',
      conditions: condition === undefined ? [] : this.#readConditions(condition.value, effect),
    };
    const element = this.#readPrincipal(principal, node, effect);
    return element === undefined ? statement : { ...statement, principal: element };
  }

  #readSid(node: JsonNode): string {
    const sid = this.#string(node, 'Sid');
    if ((this.#kind === 'identity' || this.#kind === 'managed') && !IDENTITY_SID.test(sid)) {
      const wording =
        'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*';
      throw this.#error('sid', wording, `the Sid is '${sid}'`, node.at);
    }
    return sid;
  }

  #checkSids(nodes: readonly JsonNode[], statements: readonly Statement[]): void {
    const seen = new Set<string>();
    for (const [index, { sid }] of statements.entries()) {
      if (sid === undefined || sid === '') continue;
      if (seen.has(sid)) {
        const wording = 'Statement IDs (SID) in a single policy must be unique.';
        throw this.#error('duplicate-sid', wording, `two statements have the Sid '${sid}'`, nodes[index]?.at ?? 0);
      }
      seen.add(sid);
    }
  }

  #readEffect(members: ReadonlyMap<string, JsonMember>, statement: JsonObject): 'Allow' | 'Deny' {
    const effect = members.get('Effect');
    if (effect === undefined) {
      const wording = this.#isWithPrincipals ? 'Missing required field Effect.' : SYNTAX;
      throw this.#error('missing-effect', wording, 'the statement has no Effect', statement.at);
    }
    const value = this.#string(effect.value, 'Effect');
    if (value !== 'Allow' && value !== 'Deny') {
      throw this.#error('syntax', SYNTAX, `an Effect is Allow or Deny, not '${value}'`, effect.value.at);
    }
    return value;
  }

  #oneOf(members: ReadonlyMap<string, JsonMember>, name: string, notName: string): JsonMember | undefined {
    const plain = members.get(name);
    const negated = members.get(notName);
    if (plain !== undefined && negated !== undefined) {
      throw this.#error('syntax', SYNTAX, `a statement has either ${name} or ${notName}`, negated.at);
    }
    return plain ?? negated;
  }

  #readActions(member: JsonMember | undefined, statement: JsonObject): string[] {
    const actions = member === undefined ? [] : this.#strings(member.value, member.name);
    if (member === undefined || actions.length === 0) {
      const wording = this.#isWithPrincipals
        ? 'Missing required field Action.'
        : 'Policy statement must contain actions.';
      throw this.#error('missing-action', wording, 'the statement has no actions', member?.at ?? statement.at);
    }
    for (const { value, at } of actions) this.#checkAction(value, at);
    return actions.map(({ value }) => value);
  }

  #checkAction(action: string, at: number): void {
    if (this.#kind === 'trust') {
      if (/^sts:./i.test(action)) return;
      const wording = 'AssumeRole policy may only specify STS AssumeRole actions.';
      throw this.#error('invalid-action', wording, `'${action}' is not an action of STS`, at);
    }
    if (action === '*') return;
    const [vendor = '', name, ...rest] = action.split(':');
    if (name === undefined) throw this.#error('invalid-action', VENDOR, `the action is '${action}'`, at);
    if (rest.length > 0) {
      const wording = 'Actions/Condition can contain only one colon.';
      throw this.#error('invalid-action', wording, `the action is '${action}'`, at);
    }
    if (!/^[a-zA-Z0-9*?-]+$/.test(vendor)) {
      throw this.#error('invalid-action', `Vendor ${vendor} is not valid`, `the action is '${action}'`, at);
    }
    const service = rightPrefixOf(vendor);
    if (service !== undefined) {
      const detail = `the action is '${action}', but the service's prefix is '${service}'`;
      throw this.#error('invalid-action', `Vendor ${vendor} is not valid`, detail, at);
    }
    if (!/^[a-zA-Z0-9*?_-]+$/.test(name)) {
      throw this.#error('invalid-action', SYNTAX, `'${action}' is not an action`, at);
    }
  }

  #readResources(member: JsonMember | undefined, statement: JsonObject): string[] {
    if (this.#kind === 'trust') {
      if (member === undefined) return [];
      const wording = `Has prohibited field ${member.name}.`;
      throw this.#error('prohibited-resource', wording, 'a trust policy is about its role only', member.at);
    }
    const resources = member === undefined ? [] : this.#strings(member.value, member.name);
    if (member === undefined || resources.length === 0) {
      const wording = this.#isWithPrincipals
        ? 'Missing required field Resource.'
        : 'Policy statement must contain resources.';
      throw this.#error('missing-resource', wording, 'the statement has no resources', member?.at ?? statement.at);
    }
    for (const { value, at } of resources) this.#checkResource(value, at);
    return resources.map(({ value }) => value);
  }

  #checkResource(resource: string, at: number): void {
    const isArn = resource.startsWith('arn:') && (resource.split(':').length >= 6 || resource.endsWith('*'));
    // A resource may begin with a wildcard or a variable as a whole; what it stands for shows at evaluation.
    if (!isArn && resource !== '*' && !(this.#version === '2012-10-17' && resource.startsWith('${'))) {
      const wording = `Resource ${resource} must be in ARN format or "*".`;
      throw this.#error('invalid-resource', wording, `the resource is '${resource}'`, at);
    }
    const [, , vendor = ''] = resource.split(':', 3);
    const service = rightPrefixOf(vendor);
    if (service !== undefined) {
      const detail = `the resource is '${resource}', but the service's ARNs begin with 'arn:aws:${service}:'`;
      throw this.#error('invalid-resource', `Vendor ${vendor} is not valid`, detail, at);
    }
    this.#guard('invalid-resource', at, () =>
      compileTemplate(resource, { hasWildcards: true, hasVariables: this.#version === '2012-10-17' }),
    );
  }

  #readPrincipal(
    member: JsonMember | undefined,
    statement: JsonObject,
    effect: 'Allow' | 'Deny',
  ): PrincipalElement | undefined {
    if (!this.#isWithPrincipals) {
      if (member === undefined) return undefined;
      const wording = 'Policy document should not specify a principal.';
      throw this.#error('prohibited-principal', wording, `the statement has a ${member.name}`, member.at);
    }
    if (member === undefined) {
      const wording = 'Missing required field Principal.';
      throw this.#error('missing-principal', wording, 'the statement has no Principal', statement.at);
    }
    if (member.name === 'NotPrincipal' && (effect === 'Allow' || this.#kind === 'trust')) {
      const wording =
        effect === 'Allow' ? 'Allow with NotPrincipal is not allowed.' : 'Has prohibited field NotPrincipal.';
      throw this.#error('prohibited-principal', wording, 'NotPrincipal goes with Deny in resource policies', member.at);
    }
    return this.#readPrincipalValue(member.value);
  }

  #readPrincipalValue(node: JsonNode): PrincipalElement {
    const builder = new PrincipalElementBuilder();
    if (node.type === 'string' && node.value === '*') {
      builder.addEveryone();
      return builder.build();
    }
    if (node.type !== 'object' || node.members.length === 0) {
      throw this.#error(
        'invalid-principal',
        'Invalid principal in policy.',
        'a Principal is "*" or an object',
        node.at,
      );
    }
    for (const { name, value, at } of node.members) {
      const values = this.#strings(value, name);
      if (values.length === 0) {
        throw this.#error('invalid-principal', 'Invalid principal in policy.', `${name} names nobody`, at);
      }
      for (const item of values) {
        // Only S3 has these ids: a role's trust policy has nobody that they name.
        const isOutOfPlace = name === 'CanonicalUser' && this.#kind === 'trust';
        if (isOutOfPlace || !builder.add(name, item.value)) {
          const wording = `Invalid principal in policy: "${name}":"${item.value}".`;
          throw this.#error('invalid-principal', wording, 'this is not a principal', item.at);
        }
      }
    }
    return builder.build();
  }

  #readConditions(node: JsonNode, effect: 'Allow' | 'Deny'): Condition[] {
    const conditions: Condition[] = [];
    for (const { name: operator, value: keys, at } of this.#object(node, 'a Condition').members) {
      if (!isConditionOperator(operator)) {
        const wording = `Invalid Condition type : ${operator}.`;
        throw this.#error('invalid-condition', wording, 'there is no such condition operator', at);
      }
      for (const { name: key, value, at: keyAt } of this.#object(keys, operator).members) {
        if (!/^[^:\s]+:./.test(key))
          throw this.#error('invalid-condition', VENDOR, `the condition key is '${key}'`, keyAt);
        const values = this.#strings(value, key, true).map((item) => item.value);
        // INVARIANT: "none of these values" with no values would be true for everybody.
        if (values.length === 0) throw this.#error('invalid-condition', SYNTAX, `${key} has no values`, value.at);
        const hasVariables = this.#version === '2012-10-17';
        this.#guard('invalid-condition', value.at, () =>
          compileCondition(operator, key, values, { hasVariables, effect }),
        );
        conditions.push({ operator, key, values });
      }
    }
    return conditions;
  }

  #guard(problem: PolicyProblem, at: number, compile: () => unknown): void {
    try {
      compile();
    } catch (error) {
      if (!(error instanceof OperandError || error instanceof TemplateError)) throw error;
      throw this.#error(problem, SYNTAX, error.message, at);
    }
  }

  get #isWithPrincipals(): boolean {
    return this.#kind === 'resource' || this.#kind === 'trust';
  }

  #object(node: JsonNode, what: string): JsonObject {
    if (node.type !== 'object') throw this.#error('syntax', SYNTAX, `${what} must be an object`, node.at);
    return node;
  }

  #string(node: JsonNode, what: string): string {
    if (node.type !== 'string') throw this.#error('syntax', SYNTAX, `${what} must be a string`, node.at);
    return node.value;
  }

  /** A string or a list of strings; where `isLoose`, numbers and booleans count as their text. */
  #strings(node: JsonNode, what: string, isLoose = false): { readonly value: string; readonly at: number }[] {
    const items = node.type === 'array' ? node.items : [node];
    return items.map((item) => {
      if (item.type === 'string') return { value: item.value, at: item.at };
      if (isLoose && item.type === 'number') return { value: item.text, at: item.at };
      if (isLoose && item.type === 'boolean') return { value: String(item.value), at: item.at };
      throw this.#error('syntax', SYNTAX, `${what} must be a string or a list of strings`, item.at);
    });
  }

  #error(problem: PolicyProblem, wording: string, detail: string, at: number): PolicyDocumentError {
    return new PolicyDocumentError(problem, wording, detail, this.#text, at);
  }
}
