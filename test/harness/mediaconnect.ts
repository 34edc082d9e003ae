import assert from 'node:assert/strict';
import {
  type CreateFlowRequest,
  DescribeFlowCommand,
  type Flow,
  type MediaConnectClient,
  MediaConnectServiceException,
} from '@aws-sdk/client-mediaconnect';
import { setTimeout as delay } from 'node:timers/promises';

/** For the SDK's waiters. */
export const PATIENCE = { maxWaitTime: 30, minDelay: 1, maxDelay: 1 } as const;

/** For `assert.rejects`: an error of MediaConnect. */
export function refusedWith(name: string, message?: RegExp, status = 400): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof MediaConnectServiceException, String(error));
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status], error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

/** A flow that takes RTP from this machine. */
export function rtpFlow(name: string, port: number, more: Partial<CreateFlowRequest> = {}): CreateFlowRequest {
  const Source = { Name: 'camera', Protocol: 'rtp', IngestPort: port, WhitelistCidr: '127.0.0.0/8' } as const;
  return { Name: name, Source, ...more };
}

export interface Described {
  readonly flow: Flow;
  readonly errors: readonly string[];
}

export async function describeFlow(client: MediaConnectClient, FlowArn: string): Promise<Described> {
  const { Flow, Messages } = await client.send(new DescribeFlowCommand({ FlowArn }));
  assert.ok(Flow);
  return { flow: Flow, errors: Messages?.Errors ?? [] };
}

/** Waits until what DescribeFlow tells is as wanted. */
export async function flowBecomes(
  client: MediaConnectClient,
  arn: string,
  isWanted: (described: Described) => boolean,
): Promise<Described> {
  for (let tries = 0; ; tries++) {
    const described = await describeFlow(client, arn);
    if (isWanted(described)) return described;
    assert.ok(tries < 600, JSON.stringify([described.flow.Status, described.errors]));
    await delay(50);
  }
}
