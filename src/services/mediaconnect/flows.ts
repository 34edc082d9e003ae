import { accountOf, type Caller } from '#kernel/caller.ts';
import type { Clock } from '#kernel/clock.ts';
import type { AccountId, Region } from '#kernel/ids.ts';
import type { AccessRequest } from '#kernel/operation.ts';
import type { Randomness } from '#kernel/randomness.ts';
import { entitlementOf, type FlowDocument, type FlowRecord } from './domain/flow-document.ts';
import { PortPicker, type PortUse } from './domain/port-uses.ts';
import {
  accountIn,
  newFlowKey,
  newResourceArn,
  parseResourceArn,
  resourceArn,
  type ResourceKind,
} from './domain/resource-arn.ts';
import type { TagMap } from './domain/tags.ts';
import { badRequest, flowNotFound, forbidden, notFound, quotaExceeded } from './errors.ts';
import { type CheckedDocument, draftFor, finishDocument, type FlowDraft } from './flow-draft.ts';
import { SerialQueues } from '#kernel/serial-queues.ts';
import {
  findFlow,
  type FlowStore,
  type FlowTransaction,
  insertFlow,
  isTaken,
  portConflict,
  replacePorts,
} from './store.ts';

const MAX_FLOWS = 20;

/** In whose account and in which Region a request acts. A `Call` has it. */
export interface FlowScope {
  readonly caller: Caller;
  readonly region: Region;
}

/** The flows that requests name, and the ports that they hold. */
export class Flows {
  readonly #store: FlowStore;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  /** INVARIANT: ports are looked at and taken by one request at a time. */
  readonly #reservations = new SerialQueues();

  constructor(store: FlowStore, clock: Clock, randomness: Randomness) {
    this.#store = store;
    this.#clock = clock;
    this.#randomness = randomness;
  }

  /** @throws ServiceError NotFoundException */
  async find(arn: string | undefined, scope: FlowScope): Promise<FlowRecord> {
    const flow = await this.#findAt(arn, scope);
    if (flow === undefined || flow.arn !== arn) throw flowNotFound();
    return flow;
  }

  /** The flow that has the source, output, entitlement or flow of that ARN. @throws ServiceError NotFoundException */
  async findOwner(arn: string | undefined, scope: FlowScope): Promise<FlowRecord> {
    const flow = await this.#findAt(arn, scope);
    // INVARIANT: the ARN is the one that was authorised, to the last character: keys alone find a flow, too.
    if (flow === undefined || tagsOf(flow, arn) === undefined) throw notFound('The resource does not exist.');
    return flow;
  }

  /**
   * What `authorize` of an operation on a flow returns, with the flow's tags.
   *
   * Flows have no resource policies, so that those of other accounts are refused by the policy engine; of them nothing
   * is looked up.
   *
   * @param action without the service's prefix
   * @param parts what belongs to the flow and is named, or made: AWS asks about that, too
   */
  async access(
    action: string,
    arn: string | undefined,
    scope: FlowScope,
    parts: readonly { readonly arn: string; readonly tags?: TagMap }[] = [],
  ): Promise<AccessRequest[]> {
    const isOwn = accountIn(arn) === accountOf(scope.caller);
    const flow = isOwn ? await this.#findAt(arn, scope) : undefined;
    const requests = [accessTo(action, arn ?? '', scope, tagsOf(flow, arn))];
    for (const part of parts) {
      const requestTags = part.tags;
      requests.push({
        ...accessTo(action, part.arn, scope, tagsOf(flow, part.arn)),
        ...(requestTags !== undefined && { requestTags }),
      });
    }
    return requests;
  }

  /** The role by which the key of a source, output or entitlement is read. */
  async roleOf(
    flowArn: string | undefined,
    partArn: string | undefined,
    scope: FlowScope,
  ): Promise<string | undefined> {
    const flow = await this.#findAt(flowArn, scope);
    const { sources = [], outputs = [], entitlements = [] } = flow?.document ?? {};
    const encryption =
      sources.find(({ arn }) => arn === partArn)?.settings.Decryption ??
      outputs.find(({ arn }) => arn === partArn)?.settings.Encryption ??
      entitlements.find(({ arn }) => arn === partArn)?.encryption;
    return encryption?.RoleArn;
  }

  /**
   * Makes a flow, in STANDBY.
   *
   * @throws ServiceError CreateFlow420Exception, BadRequestException
   */
  create(scope: FlowScope, name: string, make: (draft: FlowDraft) => FlowDocument): Promise<FlowRecord> {
    const account = accountOfCaller(scope.caller);
    const { region } = scope;
    return this.#reservations.run('ports', async () => {
      const key = newFlowKey(this.#randomness);
      const draft = draftFor({ account, region, key }, this.#clock.now(), this.#randomness);
      const { document, ports } = finishDocument(make(draft), await this.#picker());
      if ((await this.#store.count(account, region)) >= MAX_FLOWS) {
        throw quotaExceeded('CreateFlow', `An account has at most ${MAX_FLOWS} flows in a Region.`);
      }
      const flow: FlowRecord = {
        key,
        arn: newResourceArn('flow', { account, region, flowKey: key }, name, this.#randomness),
        account,
        region,
        name,
        createdAt: draft.now,
        state: 'STANDBY',
        document,
        isSubscribed: entitlementOf(document) !== undefined,
      };
      await this.#store.write(async (transaction) => {
        await this.#checkFree(transaction, flow, ports);
        await insertFlow(transaction, flow);
        await replacePorts(transaction, flow, ports);
      });
      return flow;
    });
  }

  /**
   * Works out a change, and takes the ports that it needs beside those that the flow has; `replacePorts` with `ports`
   * ends it, or with those that it had undoes it.
   *
   * @throws ServiceError BadRequestException
   */
  reserve(
    before: FlowRecord,
    change: (draft: FlowDraft) => FlowDocument,
    had: readonly PortUse[],
  ): Promise<CheckedDocument> {
    return this.#reservations.run('ports', async () => {
      const draft = draftFor(before, this.#clock.now(), this.#randomness);
      const checked = finishDocument(change(draft), await this.#picker(had));
      const held = new Set(checked.ports.map(({ port }) => port));
      const both = [...checked.ports, ...had.filter(({ port }) => !held.has(port))];
      await this.#store.write(async (transaction) => {
        const isOtherEntitlement = entitlementOf(checked.document) !== entitlementOf(before.document);
        await this.#checkFree(transaction, { ...before, ...checked }, checked.ports, isOtherEntitlement);
        await replacePorts(transaction, before, both);
      });
      return checked;
    });
  }

  async #picker(own: readonly PortUse[] = []): Promise<PortPicker> {
    const mine = new Set(own.map(({ port }) => port));
    return new PortPicker((await this.#store.portsInUse()).filter((port) => !mine.has(port)));
  }

  async #checkFree(
    transaction: FlowTransaction,
    flow: Pick<FlowRecord, 'key' | 'account' | 'document'>,
    ports: readonly PortUse[],
    isEntitlementNew = true,
  ): Promise<void> {
    const other = await portConflict(transaction, flow.key, ports);
    if (other !== undefined) {
      const wanted = ports.find(({ port }) => port === other.port);
      const owner = other.account === flow.account ? await findFlow(transaction, other.flowKey) : undefined;
      const by = owner === undefined ? '' : ` by the ${other.what} of the flow ${owner.name} (${owner.arn})`;
      throw badRequest(
        `UDP port ${other.port}, which the ${wanted?.what ?? 'flow'} needs, is in use${by}. All flows share one address.`,
      );
    }
    const entitlement = entitlementOf(flow.document);
    if (isEntitlementNew && entitlement !== undefined && (await isTaken(transaction, entitlement, flow.key))) {
      throw badRequest(`The entitlement ${entitlement} serves another flow already.`);
    }
  }

  /** INVARIANT: of another account nothing is found. */
  async #findAt(arn: string | undefined, { caller, region }: FlowScope): Promise<FlowRecord | undefined> {
    const address = parseResourceArn(arn);
    if (address === undefined || address.region !== region || address.account !== accountOf(caller)) return undefined;
    const flow = await this.#store.find(address.flowKey);
    return flow?.account === address.account && flow.region === region ? flow : undefined;
  }
}

function accessTo(action: string, resource: string, { caller }: FlowScope, tags: TagMap | undefined): AccessRequest {
  const resourceAccount = accountIn(resource) ?? accountOf(caller);
  return {
    action: `mediaconnect:${action}`,
    resource,
    ...(resourceAccount !== undefined && { resourceAccount }),
    ...(tags !== undefined && { resourceTags: tags }),
  };
}

/** The tags of a flow, or of what belongs to it; `undefined` when it has nothing of that ARN. */
export function tagsOf(flow: FlowRecord | undefined, arn: string | undefined): TagMap | undefined {
  if (flow === undefined) return undefined;
  if (flow.arn === arn) return flow.document.tags;
  const { sources, outputs, entitlements } = flow.document;
  return [...sources, ...outputs, ...entitlements].find((item) => item.arn === arn)?.tags;
}

/** @throws ServiceError ForbiddenException for anonymous callers, of whom there are none */
export function accountOfCaller(caller: Caller): AccountId {
  const account = accountOf(caller);
  if (account === undefined) throw forbidden('Missing Authentication Token');
  return account;
}

/** What the policy engine is asked about something that is not made yet. */
export function futureArn(kind: ResourceKind, scope: FlowScope, name: string): string {
  return resourceArn(kind, { account: accountOfCaller(scope.caller), region: scope.region }, '*', name);
}
