import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RootKey } from '#crypto/root-key.ts';
import type { Caller } from '#kernel/caller.ts';
import { asAccountId } from '#kernel/ids.ts';
import { ServiceError } from '#kernel/service-error.ts';
import { SessionTokens } from './session-tokens.ts';
import type { StreamingSession } from './streaming-session.ts';

const rootKey = new RootKey(randomBytes(32));
const accountId = asAccountId('123456789012');
const caller: Caller = {
  type: 'assumed-role',
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/Viewer/browser`,
  principalId: 'AROAEXAMPLEEXAMPLE123:browser',
  accessKeyId: 'ASIAEXAMPLEEXAMPLE12',
  roleArn: `arn:aws:iam::${accountId}:role/Viewer`,
  roleName: 'Viewer',
  sessionName: 'browser',
  session: {
    issuedAt: 1,
    expiresAt: 2,
    policies: ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'],
    tags: { team: 'security' },
    transitiveTagKeys: [],
    isMfaAuthenticated: false,
  },
};
const session: StreamingSession = {
  protocol: 'HLS',
  streamArn: `arn:aws:kinesisvideo:eu-west-1:${accountId}:stream/camera/1790000000000`,
  caller,
  mode: 'LIVE_REPLAY',
  by: 'producer',
  start: 1_790_000_000_000,
  end: 1_790_000_900_000,
  maxFragments: 5,
  container: 'MPEG_TS',
  discontinuityMode: 'ON_DISCONTINUITY',
  areTimestampsShown: true,
  areNumbersShown: false,
  zeroAt: 1_790_000_000_000,
  createdAt: 1_790_000_000_000,
  expiresAt: 1_790_000_300_000,
};

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error));
  assert.deepEqual([error.code, error.status], ['NotAuthorizedException', 403]);
  assert.match(error.message, message);
  return true;
};

describe('a session token', () => {
  const clock = { now: () => session.createdAt };
  const tokens = new SessionTokens(rootKey, clock);

  it('says everything of its session, in characters that need no escape, with ~ at its end', () => {
    const token = tokens.write(session);
    assert.match(token, /^[A-Za-z0-9_-]+~$/);
    assert.deepEqual(tokens.read(token), session);
    assert.notEqual(tokens.write(session), token, 'no two are the same');
  });

  it('is short, since it stands in every line of a playlist', () => {
    const { session: _session, ...user } = {
      ...caller,
      type: 'user',
      arn: `arn:aws:iam::${accountId}:user/anna`,
      principalId: 'AIDAEXAMPLEEXAMPLE123',
      userName: 'anna',
    };
    const token = tokens.write({ ...session, caller: user as Caller });
    assert.ok(token.length < 420, String(token.length));
  });

  it('holds till its time and no longer', () => {
    let now = session.createdAt;
    const timed = new SessionTokens(rootKey, { now: () => now });
    const token = timed.write(session);
    now = session.expiresAt - 1;
    assert.deepEqual(timed.read(token), session);
    now = session.expiresAt;
    assert.throws(() => timed.read(token), refused(/^Streaming session token is expired\.$/));
  });

  it('is refused with any character changed, left out or added', () => {
    const token = tokens.write(session);
    fc.assert(
      fc.property(fc.nat(token.length - 2), fc.integer({ min: 1, max: 63 }), (at, by) => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        const other = alphabet[(alphabet.indexOf(token.charAt(at)) + by) % 64] ?? '';
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        // The last character has bits that say nothing.
        const isSame = Buffer.from(changed, 'base64url').equals(Buffer.from(token, 'base64url'));
        if (!isSame) assert.throws(() => tokens.read(changed), refused(/invalid/));
        assert.throws(() => tokens.read(token.slice(0, at) + token.slice(at + 1)), refused(/invalid/));
      }),
    );
    for (const text of [undefined, '', '~', token.slice(0, -1), `${token}~`, `${token} `, 'A'.repeat(40_000)]) {
      assert.throws(() => tokens.read(text), refused(/invalid/), text?.slice(0, 20));
    }
  });

  it('of another installation is refused', () => {
    const other = new SessionTokens(new RootKey(randomBytes(32)), clock);
    assert.throws(() => tokens.read(other.write(session)), refused(/invalid/));
    const elsewhere = rootKey.sealToken(Buffer.from(JSON.stringify(session)), 'kinesis-video-archived-media/page/x/y');
    assert.throws(() => tokens.read(`${elsewhere.toString('base64url')}~`), refused(/invalid/));
  });
});
