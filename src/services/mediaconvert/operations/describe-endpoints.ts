import {
  DescribeEndpoints$,
  type DescribeEndpointsRequest,
  type DescribeEndpointsResponse,
} from '@aws-sdk/client-mediaconvert';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { accountArn } from '../domain/names.ts';
import { scopeOf } from '../domain/scope.ts';
import { badRequest } from '../errors.ts';

/** Older clients ask where to send their calls: to the address that they have. */
export const describeEndpoints = operation<MediaconvertContext, DescribeEndpointsRequest, DescribeEndpointsResponse>(
  DescribeEndpoints$,
  {
    authorize: (_input, call) => [{ action: 'mediaconvert:DescribeEndpoints', resource: accountArn(scopeOf(call)) }],
    handle(input, call) {
      if (input.NextToken !== undefined) throw badRequest('/nextToken: Is not a token of this list');
      return { Endpoints: [{ Url: `${call.source.isSecure ? 'https' : 'http'}://${call.source.host}` }] };
    },
  },
);
