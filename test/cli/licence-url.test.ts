import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { writeRequest } from '#media/cpix/write-document.ts';
import { CofferHome, type RunningServer } from '../harness/coffer-home.ts';
import { callKeyProvider } from '../harness/key-provider.ts';

const KID = '98ee5596-cd3e-a20d-163a-e382420c6eff';

describe('coffer mediaconvert licence-url', () => {
  let home: CofferHome;
  let server: RunningServer;

  before(async () => {
    home = await CofferHome.make();
    server = await home.start();
    const config = await home.rootClientConfig();
    const request = { version: '1.0', contentId: 'film=1', keys: [{ kid: KID }], systems: [], rules: [] } as const;
    const body = writeRequest({ ...request, certificates: [] });
    const platform = { endpoint: server.endpoint, clientConfig: () => config };
    const { status, text } = await callKeyProvider(platform, { method: 'POST', path: 'copyProtection', body });
    assert.equal(status, 200, text);
  });
  after(async () => {
    await server?.end('SIGTERM');
    await home?.[Symbol.asyncDispose]();
  });

  it('prints an address that gives a player its licence', async () => {
    const { code, stdout, stderr } = await home.run(['mediaconvert', 'licence-url', 'film=1', '--expires', '60']);
    assert.equal(code, 0, stderr);
    const answer = await fetch(stdout.trim(), { method: 'POST', body: JSON.stringify({ kids: [KID] }) });
    assert.equal(answer.status, 200);
    const token = await home.run(['mediaconvert', 'licence-url', 'film=1', '--token']);
    const key = `${stdout.split('/licence?')[0]}/keys/${KID}?token=${token.stdout.trim()}`;
    assert.equal((await (await fetch(key)).arrayBuffer()).byteLength, 16);
  });

  it('says what is wrong', async () => {
    const unknown = await home.run(['mediaconvert', 'licence-url', 'film-2']);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /There are no keys of the content film-2\./);
    const long = await home.run(['mediaconvert', 'licence-url', 'film=1', '--expires', '1e9']);
    assert.match(long.stderr, /expires is a number of seconds from 1 to 43200/);
  });
});
