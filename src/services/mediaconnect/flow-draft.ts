import type { AccountId, Region } from '#kernel/ids.ts';
import type { Randomness } from '#kernel/randomness.ts';
import type { FlowDocument } from './domain/flow-document.ts';
import { checkWhole } from './domain/flow-rules.ts';
import { type PortPicker, type PortUse, portUsesOf } from './domain/port-uses.ts';
import { newResourceArn, type ResourceKind } from './domain/resource-arn.ts';

/** What a flow is made or changed with. */
export interface FlowDraft {
  readonly account: AccountId;
  readonly region: Region;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** An ARN for something new that belongs to the flow. */
  arnFor(kind: ResourceKind, name: string): string;
}

export function draftFor(
  flow: { readonly account: AccountId; readonly region: Region; readonly key: string },
  now: number,
  randomness: Randomness,
): FlowDraft {
  const { account, region, key } = flow;
  return {
    account,
    region,
    now,
    arnFor: (kind, name) => newResourceArn(kind, { account, region, flowKey: key }, name, randomness),
  };
}

/** A document that may be stored, and the ports that it needs. */
export interface CheckedDocument {
  readonly document: FlowDocument;
  readonly ports: readonly PortUse[];
}

/**
 * Gives ports to what has none yet, and checks how everything goes together.
 *
 * @throws ServiceError BadRequestException
 */
export function finishDocument(given: FlowDocument, picker: PortPicker): CheckedDocument {
  for (const { port } of portUsesOf({ ...given, entitlements: given.entitlements.filter(({ port }) => port > 0) })) {
    picker.take(port);
  }
  const document: FlowDocument = {
    ...given,
    sources: given.sources.map((source) =>
      source.settings.Protocol === 'zixi-push' && source.settings.IngestPort === undefined
        ? { ...source, settings: { ...source.settings, IngestPort: picker.forZixi('push') } }
        : source,
    ),
    outputs: given.outputs.map((output) =>
      output.settings.Protocol === 'zixi-pull' && output.settings.Port === undefined
        ? { ...output, settings: { ...output.settings, Port: picker.forZixi('pull') } }
        : output,
    ),
    entitlements: given.entitlements.map((entitlement) =>
      entitlement.port > 0 ? entitlement : { ...entitlement, port: picker.forEntitlement() },
    ),
  };
  checkWhole(document);
  return { document, ports: portUsesOf(document) };
}
