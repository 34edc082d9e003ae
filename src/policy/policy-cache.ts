import { type CompiledPolicy, compilePolicy } from './compile-policy.ts';
import type { PolicyKind } from './document.ts';

/**
 * Compiled policies by their text: a document means the same for ever, so that it is compiled once while it is in use, and
 * again only when it has changed. Bounded by the length of the texts. What was not used for a while goes first: a cache of
 * two ages, in which what is used comes to the younger one.
 */
export class PolicyCache {
  readonly #kind: PolicyKind;
  readonly #capacity: number;
  #young = new Map<string, CompiledPolicy>();
  #old = new Map<string, CompiledPolicy>();
  #youngLength = 0;
  #compilations = 0;

  /** @param capacity characters, of each age */
  constructor(kind: PolicyKind, capacity = 8_000_000) {
    this.#kind = kind;
    this.#capacity = capacity;
  }

  /** How many documents were compiled so far. */
  get compilations(): number {
    return this.#compilations;
  }

  /** @throws PolicyDocumentError for a document that was stored without being checked */
  get(document: string): CompiledPolicy {
    const young = this.#young.get(document);
    if (young !== undefined) return young;
    const compiled = this.#old.get(document) ?? this.#compile(document);
    if (this.#youngLength + document.length > this.#capacity && this.#young.size > 0) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngLength = 0;
    }
    this.#young.set(document, compiled);
    this.#youngLength += document.length;
    return compiled;
  }

  #compile(document: string): CompiledPolicy {
    this.#compilations++;
    return compilePolicy(document, this.#kind);
  }
}
