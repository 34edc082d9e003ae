import type { EventFacts } from './audit-event.ts';

/** An access that a principal was allowed and had. */
export interface UsedAccess {
  /** Such as `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  /** The service through which it came, such as `s3.eu-west-1.amazonaws.com`; for keys only. */
  readonly via?: string;
}

/** What the log says that a principal used. */
export interface PrincipalUse {
  readonly accesses: readonly UsedAccess[];
  readonly requests: number;
  /** Among them those that were refused; nothing of them is in the accesses. */
  readonly refused: number;
  /** Requests that the log has no accesses of, by operation: those that need none, and those of earlier versions. */
  readonly withoutAccesses: Readonly<Record<string, number>>;
  /** Keys whose use is taken from the operation that used them: their data keys were at hand. */
  readonly inferredKeys: readonly string[];
  /** Requests with more accesses than the log keeps of one. */
  readonly cut: number;
  /** Events in blocks that do not bear their seal. */
  readonly damaged: number;
}

/** More kinds of accesses than a policy could hold: the counts in memory are bounded. */
export class TooManyAccessesError extends Error {}

const MAX_ACCESSES = 20_000;
const MAX_REQUESTS = 50_000;
const REFUSED =
  /^(?:AccessDenied|AccessDeniedException|Forbidden|ForbiddenException|UnauthorizedOperation|NotAuthorizedException)$/;

/** Adds up what the events of one principal say. */
export class UseCollector {
  readonly #accesses = new Map<string, UsedAccess>();
  /** By access: the requests in which a key was used without a request to KMS of its own, as far as is known yet. */
  readonly #inferred = new Map<string, { readonly access: UsedAccess; readonly requests: Set<string> }>();
  readonly #askedKms = new Set<string>();
  readonly #without = new Map<string, number>();
  #requests = 0;
  #refused = 0;
  #cut = 0;

  /** @throws TooManyAccessesError */
  add(event: EventFacts): void {
    const { accesses, accessesLeftOut, via, parentRequestID } = event.additionalEventData ?? {};
    const isKms = event.eventSource === 'kms.amazonaws.com';
    if (isKms && parentRequestID !== undefined && this.#askedKms.size < MAX_REQUESTS)
      this.#askedKms.add(parentRequestID);
    this.#requests += 1;
    if (event.errorCode !== undefined && REFUSED.test(event.errorCode)) {
      this.#refused += 1;
      return;
    }
    if (accesses === undefined) {
      const name = `${event.eventSource.split('.', 1)[0] ?? ''}:${event.eventName}`;
      if (event.errorCode === undefined) this.#without.set(name, (this.#without.get(name) ?? 0) + 1);
      return;
    }
    if (accessesLeftOut !== undefined) this.#cut += 1;
    const through = via?.at(-1);
    for (const { action, resource } of accesses) {
      const isOfKey = action.startsWith('kms:') && through !== undefined;
      this.#put({ action, resource, ...(isOfKey && { via: through }) });
    }
    if (!isKms && event.errorCode === undefined) this.#inferKeys(event, accesses);
  }

  #inferKeys(event: EventFacts, accesses: readonly { readonly resource: string }[]): void {
    const service = event.eventSource.split('.', 1)[0] ?? '';
    for (const { ARN } of event.resources ?? []) {
      const [, , name, region] = ARN.split(':');
      if (name !== 'kms' || accesses.some(({ resource }) => resource === ARN)) continue;
      const action = event.readOnly ? 'kms:Decrypt' : 'kms:GenerateDataKey';
      const access = { action, resource: ARN, via: `${service}.${region ?? ''}.amazonaws.com` };
      const id = idOf(access);
      const known = this.#inferred.get(id) ?? { access, requests: new Set<string>() };
      if (known.requests.size < MAX_REQUESTS) known.requests.add(event.requestID ?? event.eventID);
      this.#inferred.set(id, known);
    }
  }

  #put(access: UsedAccess): void {
    if (this.#accesses.size >= MAX_ACCESSES) {
      throw new TooManyAccessesError(`More than ${MAX_ACCESSES} different accesses: take a shorter time.`);
    }
    this.#accesses.set(idOf(access), access);
  }

  result(damaged: number): PrincipalUse {
    const inferredKeys = new Set<string>();
    for (const { access, requests } of this.#inferred.values()) {
      if (this.#accesses.has(idOf(access)) || [...requests].every((id) => this.#askedKms.has(id))) continue;
      this.#put(access);
      inferredKeys.add(access.resource);
    }
    return {
      accesses: [...this.#accesses.values()],
      requests: this.#requests,
      refused: this.#refused,
      withoutAccesses: Object.fromEntries(this.#without),
      inferredKeys: [...inferredKeys],
      cut: this.#cut,
      damaged,
    };
  }
}

function idOf({ action, resource, via = '' }: UsedAccess): string {
  return `${action}\n${resource}\n${via}`;
}
