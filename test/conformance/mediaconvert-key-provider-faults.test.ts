import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CancelJobCommand, CreateJobCommand, GetJobCommand, type Job } from '@aws-sdk/client-mediaconvert';
import type { CpixResponse } from '#media/cpix/document.ts';
import { PLAYREADY, WIDEVINE } from '#media/cpix/system-ids.ts';
import { dash } from '#test/harness/encrypted-groups.ts';
import { MediaAccount } from '#test/harness/media-account.ts';
import { jobEnd, jobOf } from '#test/harness/media-job.ts';
import { keyOf, signalsOf, SpekeProvider, withoutOpenssl } from '#test/harness/speke-provider.ts';

describe('a key provider of a MediaConvert job that', { skip: withoutOpenssl }, () => {
  let account: MediaAccount;
  let provider: SpekeProvider;

  const spekeOf = (ResourceId: string, extra: object = {}) => ({ ResourceId, Url: provider.url, ...extra });
  const callsOf = (contentId: string) => provider.calls.filter(({ request }) => request.contentId === contentId);

  before(async () => {
    provider = await SpekeProvider.start();
    account = await MediaAccount.start(1, { COFFER_KEY_PROVIDER_HOSTS: provider.host });
  });

  after(async () => {
    provider?.stop();
    await account?.stop();
  });

  async function failure(path: string, extra: object = {}): Promise<Job> {
    const url = `https://${provider.host}${path}`;
    const speke = { ...spekeOf('odd', { SystemIds: [WIDEVINE] }), Url: url, ...extra };
    const request = jobOf(account.role, account.source, [dash('odd', { SpekeKeyProvider: speke })]);
    const { Job: made } = await account.media.send(new CreateJobCommand(request));
    return jobEnd(account.media, made?.Id);
  }

  for (const [what, answer, wanted] of [
    ['refuses', { status: 403, body: 'Forbidden' }, /answers with status 403 \(Forbidden\).*execute-api:Invoke/],
    ['fails', { status: 500, body: 'Broken\nby far' }, /status 500 \(Broken by far\)/],
    ['says "created", with keys', { status: 201, body: '<PlainValue>a key' }, /status 201, not 200$/],
    ['redirects', { status: 302, headers: { location: 'https://127.0.0.1/' }, body: '' }, /redirects/],
    ['answers without end', { status: 200, body: Buffer.alloc(2 ** 20 + 1, 32) }, /longer than 1048576 bytes/],
    ['answers no XML', { status: 200, body: 'hello' }, /its answer cannot be used/],
    [
      'answers with no keys',
      { status: 200, body: '<cpix:CPIX xmlns:cpix="urn:dashif:org:cpix" id="odd"/>' },
      /cannot be used: Missing/,
    ],
  ] as const) {
    test(`${what} ends the job with 1091`, async () => {
      provider.odd.set('/odd', answer);
      const { ErrorCode, ErrorMessage = '', Status } = await failure('/odd');
      assert.deepEqual([Status, ErrorCode], ['ERROR', 1091]);
      assert.match(
        ErrorMessage,
        /^Unable to get content keys from the key provider \[https:\/\/localhost:\d+\/odd\]: /,
      );
      assert.match(ErrorMessage, wanted);
    });
  }

  for (const [what, change, wanted] of [
    ['speaks of another content', (answer) => ({ ...answer, contentId: 'other' }), /about another content/],
    ['has nothing for a system', (answer) => ({ ...answer, systems: [] }), /no DRMSystem/],
    [
      'puts a line of its own into XML',
      (answer) => ({
        ...answer,
        systems: answer.systems.map((one) => ({ ...one, signals: { contentProtection: '</x><y>' } })),
      }),
      /ContentProtectionData is no XML/,
    ],
    [
      'has a pssh box of another system',
      (answer) => ({
        ...answer,
        systems: answer.systems.map((one) => ({ ...one, signals: { pssh: signalsOf(one.kid, PLAYREADY).pssh } })),
      }),
      /PSSH is no box of system/,
    ],
  ] as const satisfies readonly (readonly [string, (answer: CpixResponse) => CpixResponse, RegExp])[]) {
    test(`${what} ends the job with 1091, and its answer is not told`, async () => {
      provider.change = change;
      try {
        const { ErrorCode, ErrorMessage = '' } = await failure('/changed');
        assert.equal(ErrorCode, 1091);
        assert.match(ErrorMessage, wanted);
        for (const { request } of provider.calls) {
          for (const { kid } of request.keys) assert.ok(!ErrorMessage.includes(keyOf(kid).toString('base64')));
        }
      } finally {
        provider.change = (answer) => answer;
      }
    });
  }

  test('is at a private address that nobody allowed is not asked', async () => {
    const before = provider.calls.length;
    const Url = provider.url.replace('localhost', '127.0.0.1');
    const { ErrorCode, ErrorMessage = '' } = await failure('/x', { Url });
    assert.equal(ErrorCode, 1091);
    assert.match(ErrorMessage, /127\.0\.0\.1 is at a private address.*COFFER_KEY_PROVIDER_HOSTS/);
    assert.equal(provider.calls.length, before);
  });

  test('never answers does not keep a job from being cancelled', async () => {
    provider.odd.set('/never', 'never');
    const speke = { ...spekeOf('never', { SystemIds: [WIDEVINE] }), Url: `https://${provider.host}/never` };
    const request = jobOf(account.role, account.source, [dash('never', { SpekeKeyProvider: speke })]);
    const { Job: made } = await account.media.send(new CreateJobCommand(request));
    while (callsOf('never').length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await account.media.send(new CancelJobCommand({ Id: made?.Id }));
    const { Job: ended } = await account.media.send(new GetJobCommand({ Id: made?.Id }));
    assert.equal(ended?.Status, 'CANCELED');
    const next = await failure('/changed', { ResourceId: '' }).catch((error: unknown) => error);
    assert.match(String(next), /resourceId/);
  });
});
