import type { StaticOperationSchema } from '@smithy/types';
import type { Caller } from './caller.ts';
import type { CrossOrigin } from './cross-origin.ts';
import type { Exchange } from './exchange.ts';
import type { Operation } from './operation.ts';
import type { ServiceError } from './service-error.ts';
import type { Website } from './website.ts';

export type ProtocolName = 'awsJson1_0' | 'awsJson1_1' | 'awsQuery' | 'restJson1' | 'restXml';

/**
 * A constraint that an input broke. `path` has the names of the wire and, for lists, indexes from 0:
 * `['Tags', 0, 'TagKey']`; `kernel/validation-message.ts` spells it as AWS does.
 */
export interface Violation {
  readonly path: readonly (string | number)[];
  readonly kind: 'required' | 'length' | 'range' | 'pattern' | 'enum' | 'type';
  /** For lengths and ranges: with the one bound that was broken. */
  readonly constraint: Constraint;
  /** `undefined` where it was absent, and for blobs and sensitive members, which must not be shown. */
  readonly value: unknown;
}

/** Facts about one member, generated from the public service model. Lengths are of characters, bytes or items. */
export interface Constraint {
  readonly required?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** True where min and max bound a number, not a length. */
  readonly isNumeric?: boolean;
  /** True for numbers that must be whole. */
  readonly isInteger?: boolean;
}

/** Structure or list or map name → member name (`member`, `key`, `value` for lists and maps) → constraint. */
export type Constraints = Readonly<Record<string, Readonly<Record<string, Constraint>>>>;

/** A service's manifest: what the gateway needs to know, and every operation. Written in `services/<name>/service.ts`. */
export interface Service<Context = unknown> {
  /** The folder's name: `kms`, `s3`, `kinesis-video-media`. */
  readonly name: string;
  /** CloudTrail's event source: `kms.amazonaws.com`. */
  readonly eventSource: string;
  /** The service names of a signature's scope that lead here. */
  readonly signingNames: readonly string[];
  readonly protocol: ProtocolName;
  /** awsJson: the part of `X-Amz-Target` before the dot. */
  readonly targetPrefix?: string;
  /** awsQuery: the `Version` parameter. */
  readonly apiVersion?: string;
  /** XML protocols: the namespace of responses. */
  readonly xmlNamespace?: string;
  /** Every operation that the SDK knows, built or not. */
  readonly schemas: readonly StaticOperationSchema[];
  readonly operations: readonly Operation<Context, never, unknown>[];
  /**
   * restJson1: operations whose requests bear something else than a signature, or are to be refused in this service's
   * words without one. What comes unsigned to their methods and paths is this service's; all else that is unsigned is S3's.
   */
  readonly unsignedOperations?: readonly string[];
  /**
   * restXml: requests under `pathPrefix` that have this header are this service's, and no others: it shares its address with
   * another one.
   */
  readonly requiredHeader?: string;
  /** restJson1: all that comes unsigned under this path is this service's, also what leads to no operation. */
  readonly pathPrefix?: string;
  /** True where AWS refuses members that the API does not have; elsewhere they are not seen, as in AWS. */
  readonly refusesUnknownMembers?: boolean;
  readonly context: Context;
  /**
   * Says which callers may not ask this service for an operation, whatever policies allow; throws a ServiceError. It is
   * not asked where another service calls in the caller's name.
   */
  readonly checkCaller?: (operation: string, caller: Caller) => void;
  readonly constraints: Constraints;
  readonly errors: ServiceErrors;
  /** What it says to browsers about pages of other origins; the gateway says nothing to them by itself. */
  readonly crossOrigin?: CrossOrigin;
  /** Hears of each exchange with a client that is not long, after its answer. It neither waits nor throws. */
  readonly observe?: (exchange: Exchange) => void;
  /** What answers to hosts that name a bucket's website. */
  readonly website?: Website;
  /** Checks a body that was read whole against what the headers say of it; throws a ServiceError. */
  readonly checkBody?: (operation: string, header: (name: string) => string | undefined, body: Uint8Array) => void;
}

/** The errors that the gateway raises in a service's name, in that service's own form. */
export interface ServiceErrors {
  /** A refusal; `message` has AWS's wording (`User: … is not authorized to perform: …`). */
  accessDenied(message: string): ServiceError;
  /** Broken constraints, at least one. */
  validation(violations: readonly Violation[]): ServiceError;
  /**
   * A request that is not in the protocol's form (broken JSON or XML, a member that is not known).
   *
   * @param fault the same in parts, where a member is at fault: its path is empty for the whole body
   */
  malformed(message: string, fault?: { readonly reason: string; readonly path: Violation['path'] }): ServiceError;
  /** restJson1: a path that leads to no operation. `allowed` are the methods that it has, where it has any. */
  unknownRoute?(allowed: readonly string[]): ServiceError;
  /** Anything unforeseen: says nothing about the cause. */
  internal(): ServiceError;
}

/** Lists the operation schemas of an SDK module: its exports whose names end in `$` and that are operations. */
export function operationSchemasOf(sdk: object): StaticOperationSchema[] {
  const OPERATION_KIND = 9;
  return Object.values(sdk).filter(
    (value): value is StaticOperationSchema => Array.isArray(value) && value[0] === OPERATION_KIND,
  );
}
