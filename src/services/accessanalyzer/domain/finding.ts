import type { JsonPlace } from '#policy/json-tree.ts';

/** How grave a finding is. */
export type FindingType = 'ERROR' | 'SECURITY_WARNING' | 'WARNING' | 'SUGGESTION';

/** One step from the document to a part of it: into a list, into a member's value, or to a member's name. */
export type PathElement =
  | { readonly index: number }
  | { readonly key: string }
  | { readonly value: string }
  | { readonly substring: { readonly start: number; readonly length: number } };

/** A part of the document, by its path and by its offsets in the text. */
export interface Place extends JsonPlace {
  readonly path: readonly PathElement[];
}

export interface Finding {
  readonly type: FindingType;
  /** Such as `INVALID_ACTION`. */
  readonly code: string;
  readonly details: string;
  readonly places: readonly Place[];
  /** True for checks that AWS does not have. */
  readonly isOwn: boolean;
}

/** Findings beyond this are not looked for any more. */
const MAX_FINDINGS = 2000;

/** Collects what the checks find. */
export class Report {
  readonly findings: Finding[] = [];

  error(code: string, details: string, ...places: readonly Place[]): void {
    this.#add('ERROR', code, details, places);
  }

  securityWarning(code: string, details: string, ...places: readonly Place[]): void {
    this.#add('SECURITY_WARNING', code, details, places);
  }

  warning(code: string, details: string, ...places: readonly Place[]): void {
    this.#add('WARNING', code, details, places);
  }

  suggestion(code: string, details: string, ...places: readonly Place[]): void {
    this.#add('SUGGESTION', code, details, places);
  }

  /** A finding of Coffer's own, for which AWS has no check. */
  own(type: FindingType, code: string, details: string, ...places: readonly Place[]): void {
    this.#add(type, code, details, places, true);
  }

  get isFull(): boolean {
    return this.findings.length >= MAX_FINDINGS;
  }

  #add(type: FindingType, code: string, details: string, places: readonly Place[], isOwn = false): void {
    if (!this.isFull) this.findings.push({ type, code, details, places, isOwn });
  }
}

/** What of a text is shown in a finding: documents may hold anything. */
export function shown(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
