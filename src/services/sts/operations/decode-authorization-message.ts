import {
  DecodeAuthorizationMessage$,
  type DecodeAuthorizationMessageRequest,
  type DecodeAuthorizationMessageResponse,
} from '@aws-sdk/client-sts';
import { accountOf } from '#kernel/caller.ts';
import { operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { invalidAuthorizationMessage } from '../errors.ts';

export const decodeAuthorizationMessage = operation<
  StsContext,
  DecodeAuthorizationMessageRequest,
  DecodeAuthorizationMessageResponse
>(DecodeAuthorizationMessage$, {
  authorize: () => [{ action: 'sts:DecodeAuthorizationMessage', resource: '*' }],
  isReadOnly: true,
  // Who reads the audit log has not the right to read messages by that.
  secretMembers: ['EncodedMessage'],
  handle(input, { caller }, { messages }) {
    const account = accountOf(caller);
    const decoded = account && messages.open(input.EncodedMessage ?? '', account);
    if (decoded === undefined) throw invalidAuthorizationMessage();
    return { DecodedMessage: decoded };
  },
});
