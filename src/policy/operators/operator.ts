import type { VariableLookup } from '../template.ts';

/** Whether one value of the request matches one value of the policy. */
export type ValueTest = (actual: string, lookup: VariableLookup) => boolean;

/**
 * How one condition operator compares. Its negation (`StringNotEquals`) is the same comparison with the result turned
 * round, so each file holds both.
 */
export interface Operator {
  /** As it stands in policies, such as `StringEquals`. */
  readonly name: string;
  /** As it stands in policies, where the language has one. */
  readonly negatedName?: string;
  /**
   * Prepares a value of the policy.
   * @throws OperandError when the value is not of the operator's type
   */
  compile(value: string, options: { readonly hasVariables: boolean }): ValueTest;
}

/** A value in a policy's condition that its operator cannot compare with. */
export class OperandError extends Error {}
