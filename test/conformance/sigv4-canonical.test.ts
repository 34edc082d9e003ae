import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ALL, BAD_SIGNATURE, FAMILIES, headersOf, isRefused, SignedCalls } from '../harness/signed-calls.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

describe('what SigV4 signs: headers, paths and queries as they came', () => {
  let calls: SignedCalls;

  before(async () => {
    calls = await SignedCalls.start();
  });
  after(() => calls.platform.stop());

  it('accepts signed hop-by-hop headers exactly as they were sent', async () => {
    const headers = [
      ['Connection', 'keep-alive'],
      ['TE', 'trailers'],
      ['User-Agent', 'odd/1.0 (a;  b)   c'],
      ['Accept-Encoding', 'identity'],
    ] as const;
    for (const family of ALL) {
      const own = headersOf(family);
      await calls.accepts(calls.signed(family, {}, { headers: [...own, ...headers] }), family);
    }
    const { request } = FAMILIES.json;
    const chunked = signHeader(
      { ...request, headers: [...request.headers, ['Transfer-Encoding', 'chunked']], body: Buffer.from('{}') },
      calls.optionsFor('json'),
    );
    await calls.accepts({ ...chunked, body: Buffer.from('2\r\n{}\r\n0\r\n\r\n') }, 'transfer-encoding');
  });

  it('accepts a Host without its port, of any name, when that is what was signed and sent', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'kms.us-east-1.amazonaws.com', '[::1]:4566']) {
      for (const family of ALL) await calls.accepts(calls.signed(family, { host: name }), `${family} at ${name}`);
    }
    await calls.refuses(BAD_SIGNATURE, (family) => {
      const request = calls.signed(family, { host: '127.0.0.1' });
      return {
        ...request,
        headers: request.headers.map(([name, value]) => [name, name === 'Host' ? calls.host : value]),
      };
    });
  });

  it('folds spaces in header values as SigV4 does', async () => {
    for (const value of ['  a   b  ', 'a', '', '"a   b"', 'a\t b']) {
      for (const family of ALL) {
        const own = headersOf(family);
        const request = calls.signed(family, {}, { headers: [...own, ['X-Custom', value.replace('\t', ' ')]] });
        const headers = request.headers.map(([name, old]) => [name, name === 'X-Custom' ? value : old] as const);
        await calls.accepts({ ...request, headers }, `${family} '${value}'`);
      }
    }
  });

  it('joins headers of one name in their order', async () => {
    for (const family of ALL) {
      const own = headersOf(family);
      const twice = [
        ['X-Custom', 'first'],
        ['X-Other', 'between'],
        ['x-custom', ' second '],
      ] as const;
      const request = calls.signed(family, {}, { headers: [...own, ...twice] });
      await calls.accepts(request, family);
      const swapped = request.headers.map(
        ([name, value]) => [name, value === 'first' ? 'second' : value === ' second ' ? 'first' : value] as const,
      );
      isRefused(family, await calls.send({ ...request, headers: swapped }), BAD_SIGNATURE);
    }
  });

  it('signs header values by their bytes', async () => {
    for (const bytes of ['\u00c3\u00a9', '\u00e9', '\u00ff']) {
      await calls.accepts(calls.signed('s3', {}, { headers: [['X-Custom', bytes]] }), bytes);
    }
    const request = calls.signed('s3', {}, { headers: [['X-Custom', '\u00c3\u00a9']] });
    const changed = request.headers.map(
      ([name, value]) => [name, value === '\u00c3\u00a9' ? '\u00e9' : value] as const,
    );
    isRefused('s3', await calls.send({ ...request, headers: changed }), BAD_SIGNATURE);
  });

  it('refuses two Host, Authorization, X-Amz-Date or X-Amz-Target headers', async () => {
    for (const name of ['Host', 'Authorization', 'X-Amz-Date', 'X-Amz-Content-Sha256', 'X-Amz-Target']) {
      for (const family of ALL) {
        const request = calls.signed(family);
        const again = request.headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase());
        if (again === undefined) continue;
        const response = await calls.send({ ...request, headers: [...request.headers, again] });
        assert.ok(response.status === 400 || response.status === 403, `${family} ${name}: ${response.status}`);
      }
    }
  });

  it('finds the object of an odd path, and only of that path', async () => {
    for (const path of [
      '/signed-requests/a//b',
      '/signed-requests//a',
      '/signed-requests/./a/../b',
      '/signed-requests/a b+c%2F',
      '/signed-requests/ünïcode/日本/😀',
      '/signed-requests/a/',
      "/signed-requests/~!*'();:@&=$,?#[]",
      '/signed-requests/..',
    ]) {
      const body = Buffer.from(`content of ${path}`);
      await calls.accepts(calls.signed('s3', {}, { method: 'PUT', path, body }), path);
      const response = await calls.accepts(calls.signed('s3', {}, { path }), path);
      assert.equal(response.text, body.toString());
    }
    const list = await calls.accepts(
      calls.signed(
        's3',
        {},
        {
          path: '/signed-requests',
          query: [
            ['list-type', '2'],
            ['encoding-type', 'url'],
          ],
        },
      ),
    );
    assert.equal([...list.text.matchAll(/<Key>/g)].length, 8);
  });

  it('takes a path in whatever encoding the client chose, when the signature is over SigV4’s own', async () => {
    const path = '/signed-requests/a-b_c.d~e (é)';
    await calls.accepts(calls.signed('s3', {}, { method: 'PUT', path, body: Buffer.from('x') }));
    const request = calls.signed('s3', {}, { path });
    for (const target of [
      '/signed-requests/%61-b_c.d%7Ee%20%28%c3%a9%29',
      '/signed-requests/a-b_c.d~e%20(%C3%A9)',
      '/%73igned-requests/a%2db%5fc%2ed~e%20(%c3%A9)',
    ]) {
      await calls.accepts({ ...request, target }, target);
    }
  });

  it('signs odd queries by what they mean', async () => {
    const query = [
      ['list-type', '2'],
      ['prefix', 'a b+c&d=é/%'],
      ['b', ''],
      ['b', '2'],
      ['b', '10'],
      ['B', ''],
      ['q-', '1'],
      ['q', '2'],
      ['q.', '3'],
    ] as const;
    const path = '/signed-requests';
    const request = calls.signed('s3', {}, { path, query });
    const response = await calls.accepts(request);
    assert.match(response.text, /<Prefix>a b\+c&amp;d=é\/%<\/Prefix>/);
    const [, text = ''] = request.target.split('?');
    const variants = [
      text.split('&').reverse().join('&'),
      text.replaceAll('%20', '+'),
      text.replace('b=&', 'b&'),
      `&&${text}&`,
      text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    ];
    for (const variant of variants) await calls.accepts({ ...request, target: `${path}?${variant}` }, variant);
    // A plus that was signed as a plus must not turn into a space on the way.
    const changed = await calls.send({ ...request, target: `${path}?${text.replace('%2B', '+')}` });
    isRefused('s3', changed, BAD_SIGNATURE);
  });

  it('normalises paths of the other services before routing, as the signature does', async () => {
    const options = calls.optionsFor('rest');
    for (const path of ['//2017-08-29//queues', '/2017-08-29/./queues', '/x/../2017-08-29/queues']) {
      await calls.accepts(signHeader({ method: 'GET', path }, options), path);
    }
    // INVARIANT: a listing that was signed does not become a look-up of `.` or `..`.
    const request = signHeader({ method: 'GET', path: '/2017-08-29/queues' }, options);
    const changed = await calls.accepts({ ...request, target: '/2017-08-29/queues/.' });
    assert.match(changed.text, /"queues":/);
  });
});
