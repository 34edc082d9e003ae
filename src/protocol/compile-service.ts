import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import type { ProtocolName, Violation } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { awsJson } from './aws-json.ts';
import { awsQuery } from './aws-query.ts';
import type { Protocol } from './codec.ts';
import type { CompiledOperation, CompiledService, WireService } from './compiled-service.ts';
import { DecodeFailure } from './decode-failure.ts';
import { errorEncoderOf } from './error-encoding.ts';
import type { RequestParts } from './http-input.ts';
import type { EncodedResponse } from './http-output.ts';
import { redactors } from './redaction.ts';
import { restJson } from './rest-json.ts';
import { restXml } from './rest-xml.ts';
import { compileValidators } from './validator.ts';

const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = {
  awsJson1_0: awsJson('1.0'),
  awsJson1_1: awsJson('1.1'),
  awsQuery,
  restJson1: restJson,
  restXml,
};

/**
 * Every operation of a service, built or not: decoder, validator, encoder. Each is compiled when it is first called: a
 * start need not wait for hundreds that nobody calls.
 */
export function compileService(service: WireService): CompiledService {
  const compile = PROTOCOLS[service.protocol](service);
  const validatorOf = compileValidators(service.constraints);
  const redactorOf = redactors();
  const compileOperation = (schema: StaticOperationSchema): CompiledOperation => {
    const name = schema[2];
    const input = NormalizedSchema.of(schema[4]);
    const output = NormalizedSchema.of(schema[5]);
    const codec = compile({ name, schema, input, output });
    return {
      name,
      schema,
      streamsInput: hasStreamingMember(input),
      decode: (request) => {
        try {
          return codec.decode(request);
        } catch (error) {
          throw error instanceof DecodeFailure ? refusalOf(service, error) : error;
        }
      },
      validate: validatorOf(input),
      encode: codec.encode,
      redact: input.isUnitSchema() ? () => ({}) : redactorOf(input),
    };
  };
  const operations = new Map<string, CompiledOperation>();
  for (const schema of service.schemas) operations.set(schema[2], new CompiledWhenCalled(schema, compileOperation));
  return { service, operations, encodeError: errorEncoderOf(service) };
}

class CompiledWhenCalled implements CompiledOperation {
  readonly name: string;
  readonly schema: StaticOperationSchema;
  readonly #compile: (schema: StaticOperationSchema) => CompiledOperation;
  #compiled: CompiledOperation | undefined;

  constructor(schema: StaticOperationSchema, compile: (schema: StaticOperationSchema) => CompiledOperation) {
    this.name = schema[2];
    this.schema = schema;
    this.#compile = compile;
  }

  get streamsInput(): boolean {
    return this.#operation.streamsInput;
  }

  decode(request: RequestParts): unknown {
    return this.#operation.decode(request);
  }

  validate(input: unknown): readonly Violation[] {
    return this.#operation.validate(input);
  }

  encode(output: unknown, requestId: string): EncodedResponse {
    return this.#operation.encode(output, requestId);
  }

  redact(input: unknown): unknown {
    return this.#operation.redact(input);
  }

  /** @throws Error when the schema has something that the service's protocol can not carry */
  get #operation(): CompiledOperation {
    this.#compiled ??= this.#compile(this.schema);
    return this.#compiled;
  }
}

function hasStreamingMember(input: NormalizedSchema): boolean {
  if (!input.isStructSchema()) return false;
  for (const [, member] of input.structIterator()) if (member.isStreaming()) return true;
  return false;
}

/** S3 tells a bad argument from a bad body; the others have one error for both. */
function refusalOf(service: WireService, failure: DecodeFailure): ServiceError {
  const { argument } = failure;
  if (service.protocol !== 'restXml' || argument === undefined)
    return service.errors.malformed(failure.message, failure);
  const isNumber = failure.reason.includes('not an integer');
  return new ServiceError(
    'InvalidArgument',
    400,
    isNumber ? `Provided ${argument.name} not an integer or within integer range` : failure.reason,
    { members: { ArgumentName: argument.name, ArgumentValue: argument.value } },
  );
}
