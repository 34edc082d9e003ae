import type { Constraint } from '#kernel/service.ts';
import type { StaticOperationSchema, StaticSimpleSchema, StaticStructureSchema } from '@smithy/types';

// PutMedia stands in no SDK's model but Java's, so its shapes are written by hand after the developer guide
// ("PutMedia"). The kinds are those of Smithy's static schemas: 0 simple, 3 structure, 9 operation; 42 is a blob.
const NAMESPACE = 'com.amazonaws.kinesisvideomedia';

const Payload$: StaticSimpleSchema = [0, NAMESPACE, 'Payload', { streaming: 1 }, 42];

const PutMediaInput$: StaticStructureSchema = [
  3,
  NAMESPACE,
  'PutMediaInput',
  0,
  [
    'StreamName',
    'StreamARN',
    'FragmentTimecodeType',
    'ProducerStartTimestamp',
    'FragmentAcknowledgmentRequired',
    'Payload',
  ],
  [
    [0, { httpHeader: 'x-amzn-stream-name' }],
    [0, { httpHeader: 'x-amzn-stream-arn' }],
    [0, { httpHeader: 'x-amzn-fragment-timecode-type' }],
    [0, { httpHeader: 'x-amzn-producer-start-timestamp' }],
    [0, { httpHeader: 'x-amzn-fragment-acknowledgment-required' }],
    [() => Payload$, 16],
  ],
];

const PutMediaOutput$: StaticStructureSchema = [
  3,
  NAMESPACE,
  'PutMediaOutput',
  0,
  ['ContentType', 'Payload'],
  [
    [0, { httpHeader: 'Content-Type' }],
    [() => Payload$, 16],
  ],
];

export const PutMedia$: StaticOperationSchema = [
  9,
  NAMESPACE,
  'PutMedia',
  { http: ['POST', '/putMedia', 200] },
  () => PutMediaInput$,
  () => PutMediaOutput$,
];

/** PutMedia's headers. The payload is the call's body. */
export interface PutMediaInput {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
  readonly FragmentTimecodeType?: string | undefined;
  /** Seconds since the epoch, as a decimal. */
  readonly ProducerStartTimestamp?: string | undefined;
  /** `1` or `0`; the producer libraries send it, no documentation knows it. */
  readonly FragmentAcknowledgmentRequired?: string | undefined;
}

/** As those of GetMedia's members of the same names. */
export const putMediaConstraints: Readonly<Record<string, Constraint>> = {
  StreamName: { min: 1, max: 256, pattern: '[a-zA-Z0-9_.-]+' },
  StreamARN: { min: 1, max: 1024, pattern: 'arn:aws:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+' },
  FragmentTimecodeType: { required: true, enum: ['ABSOLUTE', 'RELATIVE'] },
};
