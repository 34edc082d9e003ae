import type { Operation } from '#kernel/operation.ts';
import type { Service } from '#kernel/service.ts';
import { compileService } from '#protocol/compile-service.ts';
import type { CompiledOperation, CompiledService } from '#protocol/compiled-service.ts';

/** A service whose context is its own affair: the gateway only passes it on. */
export type AnyService = Service<unknown>;
type BuiltOperation = Operation<unknown, unknown, unknown>;

/** Where a request leads. */
export interface Target {
  readonly service: AnyService;
  readonly wire: CompiledOperation;
  /** Absent for operations of the API that Coffer does not have. */
  readonly built: BuiltOperation | undefined;
  /** The input's members that are secret, as CloudTrail writes their names: with a lower-case letter first. */
  readonly secretMembers: ReadonlySet<string>;
}

/**
 * All operations of all services' APIs, with the handlers of those that are built. Throws (and so the process does not
 * start) when a handler belongs to no operation of the API, when there are two for one, or when one declares no
 * authorisation.
 *
 * INVARIANT: a handler that is not in this table cannot be reached.
 */
export class OperationsTable {
  readonly compiled: readonly CompiledService[];
  readonly #targets = new Map<string, Target>();

  constructor(services: readonly AnyService[]) {
    this.compiled = services.map(compileService);
    for (const [index, service] of services.entries()) {
      const built = builtOperations(service);
      for (const [name, wire] of this.compiled[index]?.operations ?? []) {
        const operation = built.get(name);
        this.#targets.set(`${service.name}:${name}`, { service, wire, built: operation, ...secretsOf(operation) });
        built.delete(name);
      }
      for (const name of built.keys()) throw new Error(`${service.name}:${name} is not in the service's API.`);
    }
  }

  /** @throws when there is no such operation: callers name only what the API has */
  find(service: string, operation: string): Target {
    const target = this.#targets.get(`${service}:${operation}`);
    if (target === undefined) throw new Error(`There is no operation ${service}:${operation}.`);
    return target;
  }
}

function secretsOf(operation: BuiltOperation | undefined): Pick<Target, 'secretMembers'> {
  const names = operation?.secretMembers ?? [];
  return { secretMembers: new Set(names.map((name) => name.charAt(0).toLowerCase() + name.slice(1))) };
}

function builtOperations(service: AnyService): Map<string, BuiltOperation> {
  const built = new Map<string, BuiltOperation>();
  // The handlers' input types differ; each is only ever given what its own schema decoded.
  for (const operation of service.operations as readonly unknown[] as readonly BuiltOperation[]) {
    const name = `${service.name}:${operation.name}`;
    if (built.has(operation.name)) throw new Error(`${name} has two handlers.`);
    if (typeof operation.handle !== 'function') throw new Error(`${name} has no handler.`);
    const { authorize } = operation;
    const isDeclared = typeof authorize === 'function' || typeof authorize?.exemptBecause === 'string';
    if (!isDeclared) throw new Error(`${name} declares neither IAM actions nor why it needs none.`);
    built.set(operation.name, operation);
  }
  return built;
}
