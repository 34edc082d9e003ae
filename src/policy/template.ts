import { matchesGlob, pushLiteral } from './glob.ts';
import { ANY_TEXT, type Glob, ONE_CHARACTER } from './glob-symbols.ts';

/** Finds the value of a policy variable by its lower-case name; `undefined` when the request has none. */
export type VariableLookup = (name: string) => string | undefined;

interface Variable {
  /** Lower-case. */
  readonly name: string;
  readonly fallback: string | undefined;
}

type Token = string | typeof ANY_TEXT | typeof ONE_CHARACTER | Variable;

export interface TemplateOptions {
  /** Whether `*` and `?` are wildcards. */
  readonly hasWildcards: boolean;
  /** Whether `${…}` is a variable: only in documents of version 2012-10-17. */
  readonly hasVariables: boolean;
  readonly isCaseInsensitive?: boolean;
}

/** A text of a policy with wildcards and variables, taken apart once and matched many times. */
export interface Template {
  readonly text: string;
  /** False when a variable in it has no value in this request: the text then stands for nothing. */
  readonly isResolvable: (lookup: VariableLookup) => boolean;
  /** The pattern with its variables replaced; `undefined` when one has no value. */
  readonly resolve: (lookup: VariableLookup) => Glob | undefined;
  readonly matches: (value: string, lookup: VariableLookup) => boolean;
}

/** A broken `${…}`: thrown by `compileTemplate`. */
export class TemplateError extends Error {}

const VARIABLE_NAME = /^[^,{}$*?'"]+$/;
const FALLBACK = /^'([^']*)'$/;

/** Takes the inside of `${…}` apart: a name and, after a comma, a default in quotes. */
function parseVariable(inner: string): Variable | undefined {
  const comma = inner.indexOf(',');
  const name = (comma === -1 ? inner : inner.slice(0, comma)).trim();
  if (!VARIABLE_NAME.test(name)) return undefined;
  if (comma === -1) return { name: name.toLowerCase(), fallback: undefined };
  const fallback = FALLBACK.exec(inner.slice(comma + 1).trim())?.[1];
  return fallback === undefined ? undefined : { name: name.toLowerCase(), fallback };
}

/** @throws TemplateError when a variable is written wrongly. */
export function compileTemplate(text: string, options: TemplateOptions): Template {
  const tokens = tokenize(text, options);
  const fold = options.isCaseInsensitive === true ? (value: string) => value.toLowerCase() : (value: string) => value;
  const isStatic = tokens.every((token) => typeof token !== 'object');
  if (isStatic) return compileStatic(text, tokens as Glob, fold);
  // INVARIANT: the value of a variable is literal text. It comes from the request, so a `*` in it must not widen.
  const resolve = (lookup: VariableLookup): Glob | undefined => {
    const glob: (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[] = [];
    for (const token of tokens) {
      if (typeof token === 'object') {
        const value = lookup(token.name) ?? token.fallback;
        if (value === undefined) return undefined;
        pushLiteral(glob, fold(value));
      } else if (typeof token === 'string') {
        pushLiteral(glob, fold(token));
      } else {
        glob.push(token);
      }
    }
    return glob;
  };
  return {
    text,
    resolve,
    isResolvable: (lookup) => resolve(lookup) !== undefined,
    matches(value, lookup) {
      const glob = resolve(lookup);
      return glob !== undefined && matchesGlob(glob, fold(value));
    },
  };
}

/** Most patterns are a literal, `*`, or a literal and a `*`: they need no glob at all. */
function compileStatic(text: string, tokens: Glob, fold: (text: string) => string): Template {
  const glob = tokens.map((token) => (typeof token === 'string' ? fold(token) : token));
  const common = { text, isResolvable: () => true };
  const firstWildcard = glob.findIndex((token) => typeof token !== 'string');
  const characters = () => {
    const result: (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[] = [];
    for (const token of glob) {
      if (typeof token === 'string') pushLiteral(result, token);
      else result.push(token);
    }
    return result;
  };
  if (firstWildcard === -1) {
    const literal = glob.join('');
    return { ...common, resolve: characters, matches: (value) => fold(value) === literal };
  }
  if (firstWildcard === glob.length - 1 && glob[firstWildcard] === ANY_TEXT) {
    const prefix = glob.slice(0, -1).join('');
    return { ...common, resolve: characters, matches: (value) => fold(value).startsWith(prefix) };
  }
  const pattern = characters();
  return { ...common, resolve: () => pattern, matches: (value) => matchesGlob(pattern, fold(value)) };
}

function tokenize(text: string, options: TemplateOptions): Token[] {
  const tokens: Token[] = [];
  let literal = '';
  const flush = () => {
    if (literal !== '') tokens.push(literal);
    literal = '';
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (options.hasVariables && character === '$' && text[i + 1] === '{') {
      const end = text.indexOf('}', i);
      if (end === -1) throw new TemplateError(`a variable in '${text}' does not end`);
      const inner = text.slice(i + 2, end);
      i = end;
      if (inner === '*' || inner === '?' || inner === '$') {
        literal += inner;
        continue;
      }
      const variable = parseVariable(inner);
      if (variable === undefined) throw new TemplateError(`'\${${inner}}' is not a policy variable`);
      flush();
      tokens.push(variable);
    } else if (options.hasWildcards && character === '*') {
      flush();
      if (tokens.at(-1) !== ANY_TEXT) tokens.push(ANY_TEXT);
    } else if (options.hasWildcards && character === '?') {
      flush();
      tokens.push(ONE_CHARACTER);
    } else {
      literal += character;
    }
  }
  flush();
  return tokens;
}
