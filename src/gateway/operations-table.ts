import type { Operation } from '#kernel/operation.ts';
import type { Service } from '#kernel/service.ts';
import { inputRedactor } from './redact-input.ts';

/** A service whose handlers and context types are its own affair: the gateway only passes them on. */
export type AnyService = Service<unknown>;
type AnyOperation = Operation<unknown, unknown, unknown>;

/** An operation that is built, prepared for the pipeline. */
export interface BuiltOperation {
  readonly operation: AnyOperation;
  readonly redact: (input: unknown) => Record<string, unknown> | undefined;
}

/**
 * All operations that are built, by service and name. Throws (and so the process does not start) when a handler belongs
 * to no operation of the API, when there are two for one, or when one declares no authorisation.
 *
 * INVARIANT: an operation that is not in this table cannot be carried out.
 */
export class OperationsTable {
  readonly #built = new Map<string, BuiltOperation>();

  constructor(services: readonly AnyService[]) {
    for (const service of services) {
      const known = new Set(service.schemas.map((schema) => schema[2]));
      for (const operation of service.operations as readonly unknown[] as readonly AnyOperation[]) {
        const name = `${service.name}:${operation.name}`;
        if (!known.has(operation.name)) throw new Error(`${name} has a handler but is not in the service's API.`);
        if (this.#built.has(name)) throw new Error(`${name} has two handlers.`);
        if (typeof operation.handle !== 'function') throw new Error(`${name} has no handler.`);
        const isDeclared =
          typeof operation.authorize === 'function' || typeof operation.authorize?.exemptBecause === 'string';
        if (!isDeclared) throw new Error(`${name} declares no IAM actions and resources.`);
        this.#built.set(name, { operation, redact: inputRedactor(operation.schema, operation.secretMembers) });
      }
    }
  }

  find(service: string, operation: string): BuiltOperation | undefined {
    return this.#built.get(`${service}:${operation}`);
  }
}
