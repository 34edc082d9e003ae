import { GetDataEndpoint$, type GetDataEndpointInput, type GetDataEndpointOutput } from '@aws-sdk/client-kinesis-video';
import { addressSeenBy } from '#kernel/client-address.ts';
import { operation } from '#kernel/operation.ts';
import type { KinesisVideoContext } from '../context.ts';

/** All services are behind one address: the one under which the client reached us. */
export const getDataEndpoint = operation<KinesisVideoContext, GetDataEndpointInput, GetDataEndpointOutput>(
  GetDataEndpoint$,
  {
    authorize: (input, call, { streams }) => streams.access('kinesisvideo:GetDataEndpoint', input, call),
    async handle(input, call, { streams }) {
      await streams.find(input, call);
      return { DataEndpoint: addressSeenBy(call.source) };
    },
  },
);
