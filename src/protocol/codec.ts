import type { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import type { WireService } from './compiled-service.ts';
import type { RequestParts } from './http-input.ts';
import type { EncodedResponse } from './http-output.ts';

/** One operation as a protocol's codec sees it. */
export interface OperationShape {
  readonly name: string;
  readonly schema: StaticOperationSchema;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}

/** A protocol's two directions for one operation. Decoders throw DecodeFailure. */
interface OperationCodec {
  readonly decode: (request: RequestParts) => unknown;
  readonly encode: (output: unknown, requestId: string) => EncodedResponse;
}

/** Makes the codecs of one service; shapes that operations share are compiled once. */
export type Protocol = (service: WireService) => (operation: OperationShape) => OperationCodec;
