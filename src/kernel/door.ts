import type { Caller } from './caller.ts';
import type { Region } from './ids.ts';

/** In whose name, and through which services, one part of the platform calls another. */
export interface Authority {
  readonly caller: Caller;
  readonly region: Region;
  /** The services through which the call comes, outermost first: `kms:ViaService` is the last one. */
  readonly via: readonly string[];
  /** The request that led to this one; the audit log ties them together. */
  readonly requestId?: string;
  readonly sourceIp?: string;
  readonly userAgent?: string;
  readonly isSecure?: boolean;
}

/**
 * The way into every operation from inside the process. It runs the same validation, authorisation and audit as a
 * call from a socket; services wrap it in their `api.ts` with the types of their operations.
 *
 * INVARIANT: there is no other way from one service to another's data or keys.
 */
export interface Door {
  /**
   * @param service the service's name, such as `kms`
   * @param operation the operation's name, such as `Decrypt`
   * @returns the operation's output
   * @throws ServiceError as a client would get it
   */
  invoke(service: string, operation: string, input: unknown, authority: Authority): Promise<unknown>;

  /**
   * Asks what a call would be refused for, all at once, and carries nothing out. What the operation's handler would ask
   * of other services is not in it.
   *
   * @returns the accesses that its caller lacks; none for a call that would reach its handler
   * @throws ServiceError where the operation cannot tell what it needs, as of a bucket that does not exist
   */
  refusals(service: string, operation: string, input: unknown, authority: Authority): Promise<readonly AccessRefusal[]>;
}

/** Something that a caller may not do. */
export interface AccessRefusal {
  /** Such as `s3:PutObject`. */
  readonly action: string;
  /** An ARN. */
  readonly resource: string;
  /** In AWS's words. */
  readonly message: string;
  /** A statement denies it: another one that allows it would not help. */
  readonly isExplicitDeny: boolean;
}
