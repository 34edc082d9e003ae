import type { PrincipalFacts } from '#policy/principal.ts';

/** A statement as JSON has it, with lists everywhere. */
export interface SimpleStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Principal?: SimplePrincipal;
  readonly NotPrincipal?: SimplePrincipal;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export type SimplePrincipal = Readonly<Partial<Record<'AWS' | 'Service' | 'Federated', readonly string[]>>>;

export interface SimplePolicy {
  readonly Version: '2012-10-17' | '2008-10-17';
  readonly Statement: readonly SimpleStatement[];
}

export type SimpleContext = Readonly<Record<string, string | readonly string[]>>;

export interface SimpleQuestion {
  readonly action: string;
  readonly resource: string;
  readonly identity: readonly SimplePolicy[];
  readonly boundary: SimplePolicy | undefined;
  readonly session: readonly SimplePolicy[];
  readonly resourcePolicy: SimplePolicy | undefined;
  readonly isRequired: boolean;
  readonly isCrossAccount: boolean;
}

const VARIABLE = /\$\{([^},]+)(?:, '([^']*)')?\}/;
const escaped = (text: string) => text.replace(/[.+^$()|[\]\\{}*?/-]/g, '\\$&');

const COMPARISONS: Readonly<Record<string, (actual: number, wanted: number) => boolean>> = {
  Equals: (actual, wanted) => actual === wanted,
  LessThan: (actual, wanted) => actual < wanted,
  LessThanEquals: (actual, wanted) => actual <= wanted,
  GreaterThan: (actual, wanted) => actual > wanted,
  GreaterThanEquals: (actual, wanted) => actual >= wanted,
};

/**
 * A second opinion on what policies allow: slow and plain, with regular expressions and sets, written from the
 * documentation's rules and not from the engine.
 */
export class SimpleEvaluator {
  readonly #context: SimpleContext;
  readonly #principal: PrincipalFacts;

  constructor(context: SimpleContext, principal: PrincipalFacts) {
    this.#context = context;
    this.#principal = principal;
  }

  isAllowed(question: SimpleQuestion): boolean {
    const { action, resource, identity, boundary, session, resourcePolicy, isRequired, isCrossAccount } = question;
    const applying = (policies: readonly (SimplePolicy | undefined)[], effect: string) =>
      policies.flatMap((policy) =>
        (policy?.Statement ?? []).filter(
          (item) => item.Effect === effect && this.#applies(item, action, resource, policy?.Version === '2012-10-17'),
        ),
      );
    if (applying([...identity, ...session, boundary], 'Deny').length > 0) return false;
    if (applying([resourcePolicy], 'Deny').some((item) => this.#isDenied(item))) return false;
    const names = new Set(applying([resourcePolicy], 'Allow').flatMap((item) => this.#names(item.Principal)));
    names.delete('denied only');
    if (this.#principal.accountId === undefined) return names.has('reached');
    const ownAllow = applying(identity, 'Allow').length > 0 || this.#principal.isRoot;
    const limits =
      (boundary === undefined || applying([boundary], 'Allow').length > 0) &&
      (session.length === 0 || applying(session, 'Allow').length > 0);
    if (isCrossAccount) return names.size > 0 && ownAllow && limits;
    if (names.has('direct')) return true;
    if (names.has('reached')) return limits;
    return (!isRequired || names.has('account')) && ownAllow && limits;
  }

  #names(element: SimplePrincipal | undefined): string[] {
    const { accountId, arn, roleArn, service, issuer, identityProvider, isRoot } = this.#principal;
    const names: string[] = [];
    if (service !== undefined && element?.Service?.includes(service)) names.push('reached');
    if (identityProvider !== undefined && element?.Federated?.includes(identityProvider)) names.push('reached');
    const isSelfNamed = service !== undefined || identityProvider !== undefined;
    for (const name of element?.AWS ?? []) {
      if (name === '*') names.push(isSelfNamed ? 'denied only' : 'reached');
      if (accountId !== undefined && (name === accountId || name === `arn:aws:iam::${accountId}:root`)) {
        names.push('account');
      }
      if (name === arn && !isRoot) names.push('direct');
      if (name === roleArn || name === issuer?.arn) names.push('reached');
    }
    return names;
  }

  #isDenied({ Principal, NotPrincipal }: SimpleStatement): boolean {
    if (NotPrincipal === undefined) return this.#names(Principal).length > 0;
    const { service, identityProvider, accountId, isRoot, arn, roleArn, issuer } = this.#principal;
    const listed = NotPrincipal.AWS ?? [];
    if (listed.includes('*')) return false;
    if (service !== undefined) return !NotPrincipal.Service?.includes(service);
    if (identityProvider !== undefined) return !NotPrincipal.Federated?.includes(identityProvider);
    if (!listed.some((name) => name === accountId || name === `arn:aws:iam::${accountId}:root`)) return true;
    if (isRoot) return false;
    return [arn, roleArn, issuer?.arn].some((part) => part !== undefined && !listed.includes(part));
  }

  #applies(item: SimpleStatement, action: string, resource: string, hasVariables: boolean): boolean {
    const isAction = (item.Action ?? item.NotAction ?? []).some((text) =>
      new RegExp(`^${wild(text.toLowerCase())}$`, 's').test(action.toLowerCase()),
    );
    if (isAction !== (item.NotAction === undefined)) return false;
    const patterns = (item.Resource ?? item.NotResource ?? []).map((text) => this.#pattern(text, true, hasVariables));
    const isResource = patterns.some((pattern) => pattern?.test(resource) ?? false);
    if (item.NotResource === undefined ? !isResource : isResource) return false;
    if (item.NotResource !== undefined && item.Effect === 'Allow' && patterns.includes(undefined)) return false;
    return Object.entries(item.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => this.#meets(operator, key, wanted, item.Effect, hasVariables)),
    );
  }

  /** `undefined` when a variable has no value. */
  #pattern(text: string, hasWildcards: boolean, hasVariables: boolean): RegExp | undefined {
    const plain = (part: string) => (hasWildcards ? wild(part) : escaped(part));
    let source = '';
    let rest = text;
    for (;;) {
      const found = hasVariables ? VARIABLE.exec(rest) : null;
      if (found === null) return new RegExp(`^${source}${plain(rest)}$`, 's');
      const value = this.#context[found[1] ?? ''];
      const single = typeof value === 'string' ? value : value?.length === 1 ? value[0] : undefined;
      const replaced = single ?? found[2];
      if (replaced === undefined) return undefined;
      source += plain(rest.slice(0, found.index)) + escaped(replaced);
      rest = rest.slice(found.index + found[0].length);
    }
  }

  #meets(
    operator: string,
    key: string,
    wanted: readonly string[],
    effect: 'Allow' | 'Deny',
    hasVariables: boolean,
  ): boolean {
    const [set, withSuffix = operator] = operator.includes(':') ? operator.split(':') : [undefined, operator];
    const value = this.#context[key];
    const values = value === undefined ? [] : [value].flat();
    if (withSuffix === 'Null') return wanted.includes(String(values.length === 0));
    const name = withSuffix.replace('IfExists', '');
    const isNegated = name.includes('Not');
    const base = name.replace('Not', '');
    const isReadable = wanted.every((text) => this.#pattern(text, true, hasVariables) !== undefined);
    if (isNegated && effect === 'Allow' && !isReadable) return false;
    if (values.length === 0 && withSuffix.endsWith('IfExists')) return true;
    const hit = (actual: string) =>
      wanted.some((text) => this.#compare(base, actual, text, hasVariables)) !== isNegated;
    if (set !== undefined && values.every((item) => item === '')) return set === 'ForAllValues';
    if (set === 'ForAllValues') return values.every(hit);
    if (set === 'ForAnyValue') return values.some(hit);
    return isNegated ? values.every(hit) : values.some(hit);
  }

  #compare(base: string, actual: string, wanted: string, hasVariables: boolean): boolean {
    if (base === 'StringEquals') return this.#pattern(wanted, false, hasVariables)?.test(actual) ?? false;
    if (base === 'StringLike') return this.#pattern(wanted, true, hasVariables)?.test(actual) ?? false;
    if (base === 'StringEqualsIgnoreCase') {
      const pattern = this.#pattern(wanted, false, hasVariables);
      return pattern !== undefined && new RegExp(pattern.source.toLowerCase(), 's').test(actual.toLowerCase());
    }
    if (base === 'Bool') return actual.toLowerCase() === wanted.toLowerCase();
    if (base === 'IpAddress') return isWithin(actual, wanted);
    if (base === 'ArnEquals' || base === 'ArnLike') return this.#isArnLike(actual, wanted, hasVariables);
    const kind = base.startsWith('Numeric') ? 'Numeric' : 'Date';
    const read = kind === 'Numeric' ? numberOf : Date.parse;
    const [left, right] = [read(actual), read(wanted)];
    return !Number.isNaN(left) && (COMPARISONS[base.slice(kind.length)]?.(left, right) ?? false);
  }

  #isArnLike(actual: string, wanted: string, hasVariables: boolean): boolean {
    // Not the colons of variables.
    const [parts, patterns] = [actual.split(':'), wanted.split(/:(?![^{]*\})/)];
    if (parts[0] !== 'arn' || parts.length !== 6 || patterns.length !== 6) return false;
    return patterns.every((text, at) => this.#pattern(text, true, hasVariables)?.test(parts[at] ?? '') ?? false);
  }
}

const wild = (text: string) =>
  text.replace(/[\s\S]/gu, (character) => (character === '*' ? '.*' : character === '?' ? '.' : escaped(character)));

function numberOf(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}

/** IPv4 by arithmetic on its octets; IPv6 addresses here are written in full. */
function isWithin(address: string, range: string): boolean {
  const [network = '', prefix] = range.split('/');
  const bits = (text: string): string | undefined => {
    if (text.includes(':'))
      return text
        .split(':')
        .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'))
        .join('');
    const octets = text.split('.');
    return octets.length === 4 ? octets.map((part) => Number(part).toString(2).padStart(8, '0')).join('') : undefined;
  };
  const [left, right] = [bits(address), bits(network)];
  if (left === undefined || right === undefined || left.length !== right.length) return false;
  const length = prefix === undefined ? right.length : Number(prefix);
  return left.slice(0, length) === right.slice(0, length);
}
