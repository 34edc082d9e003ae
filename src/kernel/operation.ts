import type { Readable } from 'node:stream';
import type { StaticOperationSchema } from '@smithy/types';
import type { AclQuestion } from './acl.ts';
import type { Caller } from './caller.ts';
import type { Authority } from './door.ts';
import type { AccountId, Region } from './ids.ts';
import type { GrantQuestion } from './key-grant.ts';

/** Values of condition keys, such as `s3:prefix`. A key that is absent (or `undefined`) is absent in AWS's sense too. */
export type ConditionContext = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One question to the policy engine: may the caller do `action` on `resource`? */
export interface AccessRequest {
  /** Such as `kms:Decrypt`. */
  readonly action: string;
  /** A full ARN, or `*` where the action knows no resource. */
  readonly resource: string;
  /** The service's own condition keys. The gateway adds the global ones (`aws:…`). */
  readonly context?: ConditionContext;
  /** Who owns the resource; the caller's own account when absent. */
  readonly resourceAccount?: AccountId;
  /** Who owns what the resource lies in, where that is somebody else: the access stands in both accounts' logs. */
  readonly placeAccount?: AccountId;
  /** Tags of the resource: `aws:ResourceTag/…`. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** Tags in the request: `aws:RequestTag/…` and `aws:TagKeys`. */
  readonly requestTags?: Readonly<Record<string, string>>;
  readonly resourcePolicy?: ResourcePolicy;
  /** Where the resource is a KMS key and the action one that a grant can allow. */
  readonly grants?: GrantQuestion;
  /** Where the resource has an access control list: to whom that allows the action. */
  readonly acl?: AclQuestion;
  /**
   * The ARN of the identity provider whose token, already verified, an anonymous caller has brought: what `Federated`
   * principals are held against, and `aws:FederatedProvider`.
   */
  readonly identityProvider?: string;
  /**
   * Replaces the service's own refusal, for resources that must not be told apart from absent ones. Nothing else:
   * whether the call is refused is not its business.
   */
  readonly refusal?: (message: string) => Error;
}

export interface ResourcePolicy {
  /** The document in JSON; `undefined` where the resource has none. */
  readonly document: string | undefined;
  /**
   * True for key policies and role trust policies: without an allow in it (directly, or by naming the account, which
   * hands the decision to identity policies) nobody gets in. False for buckets and secrets: in the owner's account an
   * identity policy alone is enough.
   */
  readonly isRequired: boolean;
  /** True where only what the policy denies is heard: of a bucket, for objects that somebody else owns. */
  readonly isDenyOnly?: boolean;
  /** How refusals name it: `resource-based policy` or `role trust policy`. */
  readonly kind: 'resource-based' | 'role-trust';
}

/** An operation that needs no permission, or asks for one per item; the reason is shown in the operation's listing. */
export interface Exemption {
  readonly exemptBecause: string;
}

/** Declares that an operation is open to every authenticated caller, or authorises each item itself. */
export function exempt(exemptBecause: string): Exemption {
  return { exemptBecause };
}

/** How the connection and the request looked, for conditions and the audit log. */
export interface RequestSource {
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly isSecure: boolean;
  readonly method: string;
  /** The path as it was received, without the query. */
  readonly path: string;
  /** `host` as received, for answers that carry addresses. */
  readonly host: string;
  /** The port that the connection came in by; absent for calls between services. */
  readonly port?: number;
  readonly authType: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST' | 'ANONYMOUS' | 'INTERNAL';
  readonly signatureVersion?: 'AWS4-HMAC-SHA256' | 'AWS';
  /** Milliseconds since the signature was made, for presigned requests (`s3:signatureAge`). */
  readonly signatureAge?: number;
  /** The value of `x-amz-content-sha256`. */
  readonly contentSha256?: string;
  /** Bytes that the payload may have, where it comes in a form: how many it has is known at its end. */
  readonly payloadRange?: { readonly min: number; readonly max: number };
  /** A request header by its lower-case name; values that came more than once are joined by `,`. */
  header(name: string): string | undefined;
}

/** Everything about one call, apart from its input. */
export interface Call {
  readonly requestId: string;
  readonly caller: Caller;
  /** The region of the signature's scope, or the installation's default for anonymous calls. */
  readonly region: Region;
  /** Milliseconds since the epoch: when the gateway took the call. */
  readonly now: number;
  readonly source: RequestSource;
  /** The services through which the call came, outermost first: `s3.eu-west-1.amazonaws.com`. */
  readonly via: readonly string[];
  /** The streamed payload, decoded and checked (chunk signatures, payload hash, trailers) as it is read. */
  readonly body: Readable | undefined;
  /** The trailers of the payload (`x-amz-checksum-…`), known once `body` has ended. */
  readonly trailers: Readonly<Record<string, string>>;
  /** Aborted when the client goes away, and of exchanges that are not short when the server ends. */
  readonly signal: AbortSignal;
  /** Set by the handler: status and headers beyond what the schema gives. */
  readonly reply: { status?: number; readonly headers: Record<string, string> };
  /** Added to the audit record: which resources were touched, beyond those that were authorised. Never secrets. */
  readonly audit: { readonly resources: Set<string>; readonly details: Record<string, string | number | boolean> };
  /** The authority to call another service in the caller's own name, through `service` (`s3` → `kms:ViaService`). */
  forward(service: string): Authority;
  /** Asks the policy engine a further question, for per-item results and for answers that depend on rights. */
  isAllowed(request: AccessRequest): Promise<boolean>;
  /** As `isAllowed`, but throws the service's refusal. */
  require(request: AccessRequest): Promise<void>;
}

/** One operation of a service: facts that the gateway enforces, and the work itself. */
export interface Operation<Context, Input = unknown, Output = unknown> {
  readonly schema: StaticOperationSchema;
  readonly name: string;
  readonly authorize:
    | ((input: Input, call: Call, context: Context) => readonly AccessRequest[] | Promise<readonly AccessRequest[]>)
    | Exemption;
  readonly handle: (input: Input, call: Call, context: Context) => Output | Promise<Output>;
  /** False for operations that anonymous callers may try (S3's); they still need an allow. */
  readonly isAuthenticationRequired: boolean;
  /** True when the operation changes nothing: CloudTrail's `ReadOnly`. */
  readonly isReadOnly: boolean;
  /** S3's object calls and the like: CloudTrail calls them data events. */
  readonly isDataEvent: boolean;
  /** Members of the input that must not reach the audit log, beyond those the schema marks as sensitive. */
  readonly secretMembers: readonly string[];
  /**
   * How long an exchange lasts. `short`: it ends when the answer is written. `live`: the answer's head goes out at once,
   * and the rest for as long as there is something to tell. `duplex`: that, while the request is still being read; its
   * body is taken with the signatures that cameras make, which do not cover it.
   */
  readonly exchange: 'short' | 'live' | 'duplex';
}

interface OperationFacts<Context, Input, Output>
  extends Pick<Operation<Context, Input, Output>, 'authorize' | 'handle'>,
    Partial<
      Pick<
        Operation<Context, Input, Output>,
        'isAuthenticationRequired' | 'isReadOnly' | 'isDataEvent' | 'secretMembers' | 'exchange'
      >
    > {}

const READ_ONLY_NAME = /^(Get|List|Describe|Head|Search|BatchGet|Lookup|Verify|Simulate)/;

/**
 * Declares an operation. `Input` and `Output` are the SDK's request and response types, for which `schema` is the
 * SDK's schema: `operation<KmsContext, DecryptRequest, DecryptResponse>(Decrypt$, { … })`.
 */
export function operation<Context, Input, Output>(
  schema: StaticOperationSchema,
  facts: OperationFacts<Context, Input, Output>,
): Operation<Context, Input, Output> {
  const name = schema[2];
  return {
    schema,
    name,
    isAuthenticationRequired: true,
    isReadOnly: READ_ONLY_NAME.test(name),
    isDataEvent: false,
    secretMembers: [],
    exchange: 'short',
    ...facts,
  };
}
