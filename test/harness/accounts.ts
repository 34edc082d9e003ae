import assert from 'node:assert/strict';
import { askServer, connectToServer } from '../../bin/control-client.ts';
import type { TestPlatform } from './platform.ts';

export interface TestAccount {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly canonicalId: string;
  readonly email: string;
}

/** Creates accounts as an operator does: through the running server. */
export async function createAccounts(platform: TestPlatform, count: number): Promise<TestAccount[]> {
  const connection = await connectToServer(platform.dataFolder);
  assert.ok(connection, 'the server listens for its operator');
  const accounts: TestAccount[] = [];
  try {
    for await (const reply of askServer(connection, { command: 'account-create', count })) {
      if (reply.type === 'item') accounts.push(reply.value as TestAccount);
    }
  } finally {
    connection.destroy();
  }
  return accounts;
}

export async function createAccount(platform: TestPlatform): Promise<TestAccount> {
  const [account] = await createAccounts(platform, 1);
  assert.ok(account);
  return account;
}
