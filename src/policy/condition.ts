import { NULL_OPERATOR, parseNullOperand } from './operators/null.ts';
import { OperandError, type ValueTest } from './operators/operator.ts';
import { findOperator } from './operators/registry.ts';
import { compileTemplate, type VariableLookup } from './template.ts';

/** Values of condition keys in a request, by lower-case key. */
export type RequestContext = ReadonlyMap<string, string | readonly string[]>;

/** One line of a Condition block: true when the request meets it. */
export type ConditionTest = (context: RequestContext, lookup: VariableLookup) => boolean;

type Quantifier = 'forallvalues' | 'foranyvalue' | 'none';

const OPERATOR_NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/i;

/** Whether a policy may name this operator, with its prefix and suffix. */
export function isConditionOperator(name: string): boolean {
  return parseOperatorName(name) !== undefined;
}

function parseOperatorName(name: string) {
  const [, prefix, base, suffix] = OPERATOR_NAME.exec(name) ?? [];
  if (base === undefined) return undefined;
  const quantifier = (prefix?.toLowerCase() ?? 'none') as Quantifier;
  if (base.toLowerCase() === NULL_OPERATOR.toLowerCase()) {
    return quantifier === 'none' && suffix === undefined ? { isNull: true as const } : undefined;
  }
  const found = findOperator(base);
  return found && { isNull: false as const, quantifier, isIfExists: suffix !== undefined, ...found };
}

export interface ConditionOptions {
  /** Whether `${…}` is a variable: only in documents of version 2012-10-17. */
  readonly hasVariables: boolean;
  /** Of the statement: what cannot be read must widen neither. */
  readonly effect: 'Allow' | 'Deny';
}

/**
 * Prepares one operator with one key.
 * @param name the operator with prefix and suffix, such as `ForAllValues:StringLikeIfExists`
 * @throws OperandError when the operator is unknown or a value is not of its type
 */
export function compileCondition(
  name: string,
  key: string,
  values: readonly string[],
  options: ConditionOptions,
): ConditionTest {
  const parsed = parseOperatorName(name);
  // INVARIANT: an operator that is not known makes no test at all; it can never be taken for "true".
  if (parsed === undefined) throw new OperandError(`there is no condition operator '${name}'`);
  const contextKey = key.toLowerCase();
  if (parsed.isNull) {
    const wanted = values.map(parseNullOperand);
    return (context) => wanted.includes(isAbsent(context.get(contextKey)));
  }
  const tests = values.map((value) => parsed.operator.compile(value, options));
  const comparison = compileComparison(contextKey, tests, parsed);
  if (!parsed.isNegated || !options.hasVariables || options.effect === 'Deny') return comparison;
  // INVARIANT: "other than a value that this request does not have" is true of everything, and must not allow it.
  const templates = values.filter((value) => value.includes('${')).map(compileReadable);
  if (templates.length === 0) return comparison;
  return (context, lookup) =>
    templates.every((template) => template.isResolvable(lookup)) && comparison(context, lookup);
}

const compileReadable = (value: string) => compileTemplate(value, { hasWildcards: true, hasVariables: true });

function compileComparison(
  key: string,
  tests: readonly ValueTest[],
  { quantifier, isNegated, isIfExists }: { quantifier: Quantifier; isNegated: boolean; isIfExists: boolean },
): ConditionTest {
  const matchesOne = (actual: string, lookup: VariableLookup) => tests.some((test) => test(actual, lookup));
  return (context, lookup) => {
    const value = context.get(key);
    if (isIfExists && isAbsent(value)) return true;
    const actuals = value === undefined ? [] : typeof value === 'string' ? [value] : value;
    switch (quantifier) {
      // An absent key and an empty one count alike for sets: all of nothing is true, any of nothing is false.
      case 'forallvalues':
        return isEmptySet(actuals) || actuals.every((actual) => matchesOne(actual, lookup) !== isNegated);
      case 'foranyvalue':
        return !isEmptySet(actuals) && actuals.some((actual) => matchesOne(actual, lookup) !== isNegated);
      case 'none':
        return actuals.some((actual) => matchesOne(actual, lookup)) !== isNegated;
    }
  };
}

function isAbsent(value: string | readonly string[] | undefined): boolean {
  return value === undefined || (typeof value !== 'string' && value.length === 0);
}

function isEmptySet(values: readonly string[]): boolean {
  return values.every((value) => value === '');
}
