import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as mediaconnect from '@aws-sdk/client-mediaconnect';
import { NormalizedSchema } from '@smithy/core/schema';
import { operationSchemasOf } from '../../src/kernel/service.ts';
import { ServiceError } from '../../src/kernel/service-error.ts';
import { httpTraitOf } from '../../src/protocol/rest-routes.ts';
import { SdkLoopback, wireServiceOf } from '../../src/protocol/testing/sdk-loopback.ts';
import * as schemas from '../../src/services/mediaconnect/generated/schemas.ts';

const flowArn = 'arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:a flow/ä';
const loopback = new SdkLoopback(wireServiceOf('mediaconnect', 'restJson1', schemas));
const client = new mediaconnect.MediaConnectClient({
  endpoint: 'http://127.0.0.1:1',
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' },
  requestHandler: loopback,
  maxAttempts: 1,
});

describe('the generated schemas of MediaConnect', () => {
  it('know every operation of the client that the SDK has', () => {
    const known = new Set(operationSchemasOf(schemas).map((schema) => schema[2]));
    const commands = Object.keys(mediaconnect).filter((name) => /^[A-Z]\w+Command$/.test(name));
    assert(commands.length > 50);
    for (const command of commands) assert(known.has(command.replace(/Command$/, '')), command);
  });

  it('bind every label of a path to a member', () => {
    for (const schema of operationSchemasOf(schemas)) {
      const input = NormalizedSchema.of(schema[4]);
      for (const { kind, text } of httpTraitOf(schema).segments) {
        if (kind !== 'literal') assert(input.getMemberSchema(text).getMergedTraits().httpLabel, `${schema[2]}.${text}`);
      }
    }
  });

  it("carry the client's inputs and outputs unchanged", async () => {
    const input = {
      Name: 'flow',
      Sources: [
        {
          Name: 's',
          Protocol: 'srt-listener' as const,
          IngestPort: 5000,
          Decryption: { RoleArn: 'r', KeyType: 'srt-password' as const, SecretArn: 'x' },
        },
      ],
      Entitlements: [{ Name: 'e', Subscribers: ['111122223333'], DataTransferSubscriberFeePercent: 5 }],
    };
    const flow = {
      FlowArn: flowArn,
      Name: 'flow',
      Status: 'STANDBY' as const,
      AvailabilityZone: 'eu-west-1a',
      Source: { Name: 's', SourceArn: 'a' },
      Entitlements: [],
      Outputs: [{ Name: 'o', OutputArn: 'a', Transport: { Protocol: 'rist' as const, MaxLatency: 7 } }],
      Maintenance: { MaintenanceDay: 'Monday' as const, MaintenanceStartHour: '02:00' },
    };
    const seen: unknown[] = [];
    loopback.handler = ({ operation, input: received }) => {
      seen.push([operation, received]);
      return operation === 'DescribeFlow' ? { Flow: flow, Messages: { Errors: ['x'] } } : { Flow: flow };
    };
    const created = await client.send(new mediaconnect.CreateFlowCommand(input));
    assert.deepEqual(created.Flow, flow);
    assert.equal(created.$metadata.httpStatusCode, 201);
    const described = await client.send(new mediaconnect.DescribeFlowCommand({ FlowArn: flowArn }));
    assert.deepEqual(described.Messages, { Errors: ['x'] });
    await client.send(new mediaconnect.ListFlowsCommand({ MaxResults: 3, NextToken: 'a b&c' }));
    await client.send(new mediaconnect.UntagResourceCommand({ ResourceArn: flowArn, TagKeys: ['a', 'b,c'] }));
    await client.send(new mediaconnect.StopFlowCommand({ FlowArn: flowArn }));
    assert.deepEqual(seen, [
      ['CreateFlow', input],
      ['DescribeFlow', { FlowArn: flowArn }],
      ['ListFlows', { MaxResults: 3, NextToken: 'a b&c' }],
      ['UntagResource', { ResourceArn: flowArn, TagKeys: ['a', 'b,c'] }],
      ['StopFlow', { FlowArn: flowArn }],
    ]);
  });

  it('give errors that the client knows', async () => {
    loopback.handler = () => {
      throw new ServiceError('NotFoundException', 404, 'Flow not found.');
    };
    await assert.rejects(client.send(new mediaconnect.DescribeFlowCommand({ FlowArn: flowArn })), (error) => {
      assert(error instanceof mediaconnect.NotFoundException);
      assert.equal(error.message, 'Flow not found.');
      return true;
    });
  });
});
