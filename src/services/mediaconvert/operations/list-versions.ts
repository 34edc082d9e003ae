import { ListVersions$, type ListVersionsRequest, type ListVersionsResponse } from '@aws-sdk/client-mediaconvert';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { accountArn } from '../domain/names.ts';
import { scopeOf } from '../domain/scope.ts';
import { ENGINE_VERSION } from '../domain/engine-versions.ts';
import { badRequest } from '../errors.ts';

/** There is one engine; it does not expire. */
export const listVersions = operation<MediaconvertContext, ListVersionsRequest, ListVersionsResponse>(ListVersions$, {
  authorize: (_input, call) => [{ action: 'mediaconvert:ListVersions', resource: accountArn(scopeOf(call)) }],
  handle(input) {
    if (input.NextToken !== undefined) throw badRequest('/nextToken: Is not a token of this list');
    return { Versions: [{ Version: ENGINE_VERSION }] };
  },
});
