import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Region } from '#kernel/ids.ts';
import { WIDEVINE } from '#media/cpix/system-ids.ts';
import { writeRequest } from '#media/cpix/write-document.ts';
import { signHeader } from '#test/harness/sigv4-signer.ts';
import { SpekeProvider, withoutOpenssl } from '#test/harness/speke-provider.ts';
import { postDocument } from './post-document.ts';

const KID = '98ee5596-cd3e-a20d-163a-e382420c6eff';
const credentials = {
  accessKeyId: 'ASIATESTSESSION00000',
  secretAccessKey: 'a secret of tests',
  sessionToken: 'a/token+of=tests',
  expiresAt: Date.now() + 3_600_000,
};

describe('a document for a key provider', { skip: withoutOpenssl }, () => {
  let provider: SpekeProvider;

  before(async () => {
    provider = await SpekeProvider.start();
  });
  after(() => provider?.stop());

  for (const version of ['1.0', '2.0'] as const) {
    test(`in SPEKE ${version} bears a signature that another implementation makes, too`, async () => {
      const scheme = version === '2.0' ? { scheme: 'cbcs' as const } : {};
      const document = writeRequest({
        version,
        contentId: 'film & more',
        keys: [{ kid: KID, ...scheme }],
        systems: [{ kid: KID, systemId: WIDEVINE, wanted: ['pssh'] }],
        rules:
          version === '1.0' ? [] : [{ kid: KID, intendedTrackType: 'ALL', videoFilters: [{}], audioFilters: [{}] }],
        certificates: [],
      });
      const target = { url: `https://${provider.host}/a stage/cpix?b=2&a=1`, region: 'eu-west-1' as Region };
      const { signal } = new AbortController();
      const access = { credentials, privateHosts: [provider.host], signal };
      await postDocument(target, version, document, access);
      const call = provider.calls.at(-1);
      assert.ok(call);
      const { authorization = '', 'x-amz-date': stamp } = call.headers;
      const [, names = ''] = /SignedHeaders=([^,]*)/.exec(authorization) ?? [];
      const own = new Set(['host', 'x-amz-date', 'x-amz-security-token']);
      const headers = names
        .split(';')
        .filter((name) => !own.has(name))
        .map((name) => [name, String(call.headers[name])] as const);
      const date = new Date(String(stamp).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
      const query = [
        ['b', '2'],
        ['a', '1'],
      ] as const;
      const wanted = signHeader(
        { method: 'POST', path: '/a stage/cpix', query, headers, body: call.body },
        { credentials, service: 'execute-api', region: 'eu-west-1', host: provider.host, date },
      );
      const found = wanted.headers.find(([name]) => name === 'Authorization')?.[1] ?? '';
      assert.equal(authorization.replaceAll(', ', ','), found.replaceAll(', ', ','));
      assert.ok(names.split(';').includes('content-type'));
      assert.equal(names.split(';').includes('x-speke-version'), version === '2.0');
      assert.equal(call.body.toString(), document);
    });
  }
});
