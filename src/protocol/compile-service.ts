import { NormalizedSchema } from '@smithy/core/schema';
import type { ProtocolName } from '#kernel/service.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { awsJson } from './aws-json.ts';
import { awsQuery } from './aws-query.ts';
import type { Protocol } from './codec.ts';
import type { CompiledOperation, CompiledService, WireService } from './compiled-service.ts';
import { DecodeFailure } from './decode-failure.ts';
import { errorEncoderOf } from './error-encoding.ts';
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
 * Compiles every operation of a service, built or not: decoder, validator, encoder.
 *
 * @throws Error when a schema has something that its protocol can not carry
 */
export function compileService(service: WireService): CompiledService {
  const compile = PROTOCOLS[service.protocol](service);
  const validatorOf = compileValidators(service.constraints);
  const redactorOf = redactors();
  const operations = new Map<string, CompiledOperation>();
  for (const schema of service.schemas) {
    const name = schema[2];
    const input = NormalizedSchema.of(schema[4]);
    const output = NormalizedSchema.of(schema[5]);
    const codec = compile({ name, schema, input, output });
    operations.set(name, {
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
    });
  }
  return { service, operations, encodeError: errorEncoderOf(service) };
}

function hasStreamingMember(input: NormalizedSchema): boolean {
  if (!input.isStructSchema()) return false;
  for (const [, member] of input.structIterator()) if (member.isStreaming()) return true;
  return false;
}

/** S3 tells a bad argument from a bad body; the others have one error for both. */
function refusalOf(service: WireService, failure: DecodeFailure): ServiceError {
  const { argument } = failure;
  if (service.protocol !== 'restXml' || argument === undefined) return service.errors.malformed(failure.message);
  const isNumber = failure.reason.includes('not an integer');
  return new ServiceError(
    'InvalidArgument',
    400,
    isNumber ? `Provided ${argument.name} not an integer or within integer range` : failure.reason,
    { members: { ArgumentName: argument.name, ArgumentValue: argument.value } },
  );
}
