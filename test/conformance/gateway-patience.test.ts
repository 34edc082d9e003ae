import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpServer, startHttpServer } from '#gateway/http-server.ts';
import { silentLogger } from '#kernel/logger.ts';
import { readConfig } from '../../bin/config.ts';
import { Platform } from '../../bin/platform.ts';
import { startTestPlatform } from '../harness/platform.ts';
import { headOf, RawConnection } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

/** The same server with less patience, so that the test need not have so much. */
const PATIENCE = { headersMs: 300, idleMs: 600 };

describe('slow clients', () => {
  let platform: Platform;
  let server: HttpServer;
  let endpoint: string;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    const installed = await startTestPlatform();
    environment = installed.environment;
    await installed.server.stop();
    const config = readConfig({}, environment);
    platform = await Platform.open(config, environment, silentLogger);
    server = await startHttpServer(platform.gateway, {
      host: '127.0.0.1',
      port: 0,
      isReady: () => true,
      logger: silentLogger,
      patience: PATIENCE,
    });
    endpoint = `http://127.0.0.1:${server.port}`;
  });
  after(async () => {
    await server.close(0);
    await platform.close();
  });

  function listKeys(body: Buffer) {
    const credentials = {
      accessKeyId: environment['COFFER_ROOT_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: environment['COFFER_ROOT_SECRET_ACCESS_KEY'] ?? '',
    };
    const headers = [['X-Amz-Target', 'TrentService.ListKeys']] as const;
    const host = new URL(endpoint).host;
    return signHeader({ method: 'POST', path: '/', headers, body }, { credentials, service: 'kms', host });
  }

  it('ends a connection whose head does not come to its end, however busily it drips', async () => {
    const connection = await RawConnection.open(endpoint);
    connection.write('GET / HTTP/1.1\r\nHost: a\r\n');
    const started = Date.now();
    while (!connection.isClosed && Date.now() - started < 5000) {
      connection.write('X-Drip: 1\r\n');
      await sleep(50);
    }
    const response = await connection.read();
    assert.equal(response.status, 408);
    connection.destroy();
  });

  it('ends a connection whose body stops coming', async () => {
    const connection = await RawConnection.open(endpoint);
    connection.write(`${headOf(listKeys(Buffer.alloc(1000)))}{`);
    await connection.closed(5000);
    connection.destroy();
  });

  it('ends a connection that never says anything', async () => {
    const connection = await RawConnection.open(endpoint);
    await connection.closed(5000);
    connection.destroy();
  });

  it('waits for a body that is slow but comes', async () => {
    const connection = await RawConnection.open(endpoint);
    const body = Buffer.from('{"Limit": 10}');
    connection.write(headOf(listKeys(body)));
    for (const byte of body) {
      connection.write(Buffer.from([byte]));
      await sleep(100);
    }
    assert.equal((await connection.read()).status, 200);
    connection.destroy();
  });
});
