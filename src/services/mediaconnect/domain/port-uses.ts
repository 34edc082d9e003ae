import { badRequest } from '../errors.ts';
import type { FlowDocument } from './flow-document.ts';
import { listens } from './output-rules.ts';
import { checkProtocol, portsOf, ZIXI_PULL_PORT, ZIXI_PUSH_PORT } from './protocols.ts';

/** A UDP port on which something of a flow listens. */
export interface PortUse {
  readonly port: number;
  /** Such as `source camera`. */
  readonly what: string;
}

/** AWS keeps them for Zixi in VPCs. */
const ZIXI_PORTS = { first: 2090, last: 2099 };
/** Below those that the system gives to sockets that ask for any. */
const FREE_PORTS = { first: 20_000, last: 32_767 };

/** @throws ServiceError BadRequestException when two of them want the same port */
export function portUsesOf({ sources, outputs, entitlements }: FlowDocument): readonly PortUse[] {
  const uses: PortUse[] = [];
  for (const { name, settings } of sources) {
    if (settings.Protocol === undefined || settings.IngestPort === undefined) continue;
    const protocol = checkProtocol(settings.Protocol, `Source ${name}`);
    for (const port of portsOf(protocol, settings.IngestPort)) uses.push({ port, what: `source ${name}` });
  }
  for (const { name, settings } of outputs) {
    const protocol = checkProtocol(settings.Protocol, `Output ${name}`);
    if (listens(protocol) && settings.Port !== undefined) uses.push({ port: settings.Port, what: `output ${name}` });
  }
  for (const { name, port } of entitlements) uses.push({ port, what: `entitlement ${name}` });
  const seen = new Map<number, string>();
  for (const { port, what } of uses) {
    const other = seen.get(port);
    if (other !== undefined) throw badRequest(`UDP port ${port} is wanted by the ${other} and by the ${what}.`);
    seen.set(port, what);
  }
  return uses;
}

/** Finds a port for what was not given one. */
export class PortPicker {
  readonly #taken: Set<number>;

  /** @param taken ports that are in use on the address of the installation */
  constructor(taken: Iterable<number>) {
    this.#taken = new Set(taken);
  }

  /** Keeps a port from being picked. */
  take(port: number): void {
    this.#taken.add(port);
  }

  forZixi(kind: 'push' | 'pull'): number {
    return this.#pick(kind === 'push' ? ZIXI_PUSH_PORT : ZIXI_PULL_PORT);
  }

  forEntitlement(): number {
    return this.#pick(undefined);
  }

  #pick(first: number | undefined): number {
    for (const port of candidates(first)) {
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
    throw badRequest('All UDP ports of the installation are in use.');
  }
}

function* candidates(first: number | undefined): Generator<number> {
  if (first !== undefined) {
    yield first;
    for (let port = ZIXI_PORTS.first; port <= ZIXI_PORTS.last; port++) yield port;
  }
  for (let port = FREE_PORTS.first; port <= FREE_PORTS.last; port++) yield port;
}
