import type { AuthorizationFacts } from './facts/authorization-facts.ts';

export interface AccessAnalyzerContext {
  readonly facts: AuthorizationFacts;
}
