/** What is wrong with a policy document; services choose their own wording by it where it differs. */
export type PolicyProblem =
  | 'json'
  | 'syntax'
  | 'version'
  | 'sid'
  | 'duplicate-sid'
  | 'missing-effect'
  | 'missing-action'
  | 'missing-resource'
  | 'missing-principal'
  | 'prohibited-principal'
  | 'prohibited-resource'
  | 'invalid-principal'
  | 'invalid-action'
  | 'invalid-resource'
  | 'invalid-condition';

/** A policy document that cannot be accepted, and where in its text. */
export class PolicyDocumentError extends Error {
  readonly problem: PolicyProblem;
  /** What IAM says about such a document, without the place. */
  readonly wording: string;
  /** What exactly is wrong, in plain words. */
  readonly detail: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;

  constructor(problem: PolicyProblem, wording: string, detail: string, text: string, offset: number) {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - (before.lastIndexOf('\n') + 1) + 1;
    super(`${wording}${/[.]$/.test(wording) ? '' : '.'} Line ${line}, column ${column}: ${detail}`);
    this.name = 'PolicyDocumentError';
    this.problem = problem;
    this.wording = wording;
    this.detail = detail;
    this.line = line;
    this.column = column;
  }
}
