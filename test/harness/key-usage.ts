import assert from 'node:assert/strict';
import type { KmsUsage } from '#services/cloudtrail/domain/usage.ts';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import type { UsageItem } from '../../bin/usage.ts';
import type { TestPlatform } from './platform.ts';

/** What `coffer usage` counts of one key, by operation, principal and credential. */
export async function usageOf(platform: TestPlatform, key: string): Promise<readonly KmsUsage[]> {
  const connection = await connectToServer(platform.dataFolder);
  assert.ok(connection, 'the server listens for its operator');
  const found: KmsUsage[] = [];
  try {
    const by = ['key', 'operation', 'principal', 'credential'] as const;
    const question = { command: 'usage', from: 0, to: Date.now() + 60_000, by } as const;
    for await (const reply of askServer(connection, question)) {
      if (reply.type !== 'item') continue;
      const item = reply.value as UsageItem;
      if (item.kind === 'kms' && item.usage.key === key) found.push(item.usage);
    }
  } finally {
    connection.destroy();
  }
  return found;
}
