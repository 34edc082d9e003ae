import type { PolicySourceType, Position } from '@aws-sdk/client-iam';
import { type CompiledPolicy, compilePolicy } from '#policy/compile-policy.ts';
import type { PolicyKind } from '#policy/document.ts';
import { type JsonNode, parseJsonTree } from '#policy/json-tree.ts';
import { PolicyDocumentError } from '#policy/policy-document-error.ts';
import { invalidInput } from '../errors.ts';

/** A policy that takes part in a simulation. */
export interface SimulatedPolicy {
  /** By which the results name it. */
  readonly name: string;
  readonly type: PolicySourceType;
  readonly policy: CompiledPolicy;
  readonly text: string;
}

/** @throws ServiceError InvalidInput for documents that are no policies */
export function simulatedPolicy(name: string, type: PolicySourceType, text: string, kind: PolicyKind): SimulatedPolicy {
  try {
    return { name, type, text, policy: compilePolicy(text, kind) };
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw invalidInput(`${name}: ${error.message}`);
    throw error;
  }
}

export interface StatementPositions {
  readonly StartPosition: Position;
  readonly EndPosition: Position;
}

/** Where each statement begins, and where what follows it does: lines and columns count from 1. */
export function statementPositions(text: string): readonly StatementPositions[] {
  const root = parseJsonTree(text);
  const member = root.type === 'object' ? root.members.find(({ name }) => name === 'Statement') : undefined;
  const nodes: readonly JsonNode[] =
    member === undefined ? [] : member.value.type === 'array' ? member.value.items : [member.value];
  let [line, lineStart, seen] = [1, 0, 0];
  // Statements stand one behind the other: the text is gone through once.
  const positionAt = (offset: number): Position => {
    for (let at = text.indexOf('\n', seen); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
      line += 1;
      lineStart = at + 1;
    }
    seen = Math.max(seen, lineStart);
    return { Line: line, Column: offset - lineStart + 1 };
  };
  return nodes.map(({ at, end }) => ({ StartPosition: positionAt(at), EndPosition: positionAt(end) }));
}

const VARIABLE = /\$\{([^}]*)\}/g;

/** The condition keys that a statement asks for: in its conditions, and as variables. As they are written. */
export function contextKeysOf({ document }: CompiledPolicy, index: number): string[] {
  const statement = document.statements[index];
  if (statement === undefined) return [];
  const keys = statement.conditions.map(({ key }) => key);
  if (document.version !== '2012-10-17') return keys;
  for (const text of [...statement.resources, ...statement.conditions.flatMap(({ values }) => values)]) {
    for (const [, inner = ''] of text.matchAll(VARIABLE)) {
      const name = inner.split(',', 1)[0]?.trim() ?? '';
      if (!['*', '?', '$', ''].includes(name)) keys.push(name);
    }
  }
  return keys;
}

/** Each key once, whatever its case, in the order in which they come. */
export function distinctKeys(keys: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const key of keys) if (!seen.has(key.toLowerCase())) seen.set(key.toLowerCase(), key);
  return [...seen.values()];
}
