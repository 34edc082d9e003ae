import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CofferHome, type RunningServer } from '../harness/coffer-home.ts';

describe('the control socket', () => {
  let home: CofferHome;
  let server: RunningServer;
  let path: string;

  before(async () => {
    home = await CofferHome.make();
    server = await home.start(['--log-level', 'debug']);
    path = (JSON.parse(await readFile(join(home.dataFolder, 'control.json'), 'utf8')) as { socket: string }).socket;
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
  });

  async function open(): Promise<Socket> {
    const socket = connect(path).on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** Sends bytes and reads what comes until the server ends the connection. */
  async function ask(bytes: string | Buffer): Promise<string> {
    const socket = await open();
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(bytes);
    await once(socket, 'close');
    return answer;
  }

  async function isWell(): Promise<void> {
    const status = await ask('{"command":"status"}\n');
    assert.match(status, /"type":"item"[^\n]*\n\{"type":"done"\}\n$/);
    assert.ok(status.includes(server.endpoint));
    assert.equal((await fetch(`${server.endpoint}/health/ready`)).status, 200);
  }

  it('lies in a folder into which its user alone may look', async () => {
    const folder = await stat(dirname(path));
    assert.equal((folder.mode & 0o777).toString(8), '700');
    assert.equal(folder.uid, process.getuid?.());
    assert.equal(((await stat(path)).mode & 0o777).toString(8), '600');
    const file = await stat(join(home.dataFolder, 'control.json'));
    assert.equal((file.mode & 0o777).toString(8), '600');
  });

  it('answers what is no command with an error, and goes on', async () => {
    const nonsense = [
      '\n',
      'GET / HTTP/1.1\r\n\r\n',
      'null\n',
      '[]\n',
      '"status"\n',
      '{}\n',
      '{"command":"stop"}\n',
      '{"command":"__proto__"}\n',
      '{"command":["status"]}\n',
      '{"command":"account-create"}\n',
      '{"command":"account-create","count":"1"}\n',
      '{"command":"account-create","count":1,"accountId":["555566667777"]}\n',
      '{"command":"account-create","count":-1}\n',
      '{"command":"account-create","count":1e9}\n',
      '{"command":"account-create","count":0.5}\n',
      '{"command":"account-delete"}\n',
      '{"command":"account-delete","accountId":"../.."}\n',
      Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]),
    ];
    for (const bytes of nonsense) {
      const answer = await ask(bytes);
      assert.match(answer, /^\{"type":"error","message":"[^\n]+"\}\n$/, String(bytes));
    }
    await isWell();
    const { stdout } = await home.run(['account', 'list']);
    assert.equal(stdout.trim().split('\n').length, 1, 'none of this made an account');
  });

  it('does not read a line without end', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    let written = 0;
    const chunk = Buffer.alloc(256 * 1024, 'x');
    while (!socket.destroyed && written < 256 * 1024 * 1024) {
      written += chunk.length;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
      if (socket.readableEnded) break;
      socket.resume();
    }
    socket.destroy();
    await closed;
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`);
    await isWell();
  });

  it('bears connections that say nothing, half of it, or go before the answer', async () => {
    const silent = await Promise.all(Array.from({ length: 100 }, open));
    const half = await open();
    half.write('{"command":"sta');
    const ended = await open();
    ended.end('{"command":"status"');
    const gone = await open();
    gone.write('{"command":"account-list"}\n');
    gone.destroy();
    const reset = await open();
    reset.write('{"command":"verify"}\n');
    reset.destroy();
    const halfClosed = await open();
    let answer = '';
    halfClosed.setEncoding('utf8').on('data', (text: string) => (answer += text));
    halfClosed.end('{"command":"status"}\n');
    await once(halfClosed, 'close');
    assert.match(answer, /"type":"done"/);
    await delay(100);
    await isWell();
    for (const socket of [...silent, half, ended]) socket.destroy();
  });

  it('carries out commands that come at once, and one a connection', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask('{"command":"account-create","count":5}\n{"command":"account-list"}\n')),
    );
    for (const answer of answers) assert.equal(answer.match(/"secretAccessKey"/g)?.length, 5);
    for (const answer of answers) assert.ok(!answer.includes('createdAt'), 'the second command is not read');
    const { stdout } = await home.run(['account', 'list']);
    assert.equal(stdout.trim().split('\n').length, 101);
    assert.ok(!/secretAccessKey":"[^[]/.test(server.output()), 'answers are not logged');
  });

  it('does not hold up the end of the server', async () => {
    const silent = await open();
    const begun = Date.now();
    const { code } = await server.end('SIGTERM');
    assert.equal(code, 0);
    assert.ok(Date.now() - begun < 5000);
    silent.destroy();
  });
});
