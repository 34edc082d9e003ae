import { matchesGlob } from '../glob.ts';
import { ANY_TEXT, type Glob, type ONE_CHARACTER } from '../glob-symbols.ts';
import { compileTemplate } from '../template.ts';
import type { ValueTest } from './operator.ts';

const COMPONENTS = 6;

function splitPattern(glob: Glob): Glob[] {
  const components: (string | typeof ANY_TEXT | typeof ONE_CHARACTER)[][] = [[]];
  for (const symbol of glob) {
    if (symbol === ':' && components.length < COMPONENTS) components.push([]);
    else components.at(-1)?.push(symbol);
  }
  return components;
}

function splitArn(text: string): string[] | undefined {
  const parts = text.split(':');
  if (parts.length < COMPONENTS || parts[0] !== 'arn') return undefined;
  return [...parts.slice(0, COMPONENTS - 1), parts.slice(COMPONENTS - 1).join(':')];
}

/** Compares ARNs component by component: a wildcard stays within the colons that it stands between. */
export function compileArnPattern(value: string, options: { readonly hasVariables: boolean }): ValueTest {
  const template = compileTemplate(value, { ...options, hasWildcards: true });
  return (text, lookup) => {
    const glob = template.resolve(lookup);
    const actual = splitArn(text);
    if (glob === undefined || actual === undefined) return false;
    if (glob.length === 1 && glob[0] === ANY_TEXT) return true;
    const components = splitPattern(glob);
    return (
      components.length === COMPONENTS &&
      components.every((component, index) => matchesGlob(component, actual[index] ?? ''))
    );
  };
}
