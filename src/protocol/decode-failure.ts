export interface Argument {
  readonly name: string;
  readonly value: string;
}

/** A request that is not in the protocol's form. `path` says which member, outermost first. */
export class DecodeFailure extends Error {
  readonly reason: string;
  readonly path: readonly (string | number)[];
  /** The header, label or query parameter at fault; absent when it was the body. */
  readonly argument: Argument | undefined;

  constructor(reason: string, path: readonly (string | number)[] = [], argument?: Argument) {
    super(path.length === 0 ? reason : `${reason} (at ${path.join('.')})`);
    this.name = 'DecodeFailure';
    this.reason = reason;
    this.path = path;
    this.argument = argument;
  }
}

/** The same failure seen from the structure or list that holds the value; other errors are handed on as they are. */
export function failureWithin(segment: string | number, error: unknown): unknown {
  return error instanceof DecodeFailure ? new DecodeFailure(error.reason, [segment, ...error.path]) : error;
}
