import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { createAccount } from '../harness/accounts.ts';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { errorCodeOf, type RawResponse, sendRaw } from '../harness/raw-connection.ts';
import { signHeader } from '../harness/sigv4-signer.ts';

const EncryptionContext = { film: 'one' };

/** Who asks, and where. */
interface Sender {
  readonly region?: string;
  readonly caller?: Parameters<TestPlatform['clientConfig']>[0];
}

describe('KMS and hostile inputs', () => {
  let platform: TestPlatform;
  let kms: KMSClient;
  let KeyId = '';
  let other = '';
  let blob: Buffer;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
    const create = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    [KeyId, other] = [await create(), await create()];
    blob = await encrypt(KeyId);
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
  });

  async function encrypt(id: string, Plaintext = Buffer.from('a data key')): Promise<Buffer> {
    const answer = await kms.send(new EncryptCommand({ KeyId: id, Plaintext, EncryptionContext }));
    return Buffer.from(answer.CiphertextBlob ?? []);
  }

  function send(operation: string, body: Buffer, { region = 'us-east-1', caller }: Sender = {}): Promise<RawResponse> {
    const { endpoint, credentials } = platform.clientConfig(caller);
    const headers = [['X-Amz-Target', `TrentService.${operation}`]] as const;
    const host = new URL(endpoint).host;
    const request = { method: 'POST', path: '/', headers, body };
    return sendRaw(endpoint, signHeader(request, { credentials, service: 'kms', region, host }));
  }

  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  /** All that an answer says, apart from what is different for each request. */
  async function answerTo(ciphertext: Buffer, more: object = {}, from: Sender = {}): Promise<string> {
    const input = { CiphertextBlob: ciphertext.toString('base64'), EncryptionContext, ...more };
    const response = await send('Decrypt', json(input), from);
    const names = [...response.headers.keys()].join(' ');
    return `${response.status} ${names} ${response.body.toString()}`;
  }

  const flipped = (place: number, bit = 0) => {
    const changed = Buffer.from(blob);
    changed[place] = (changed[place] ?? 0) ^ (1 << bit);
    return changed;
  };

  it('answers every ciphertext that is not whole with the same words: no byte says why', async () => {
    const expected = await answerTo(randomBytes(100));
    assert.match(expected, /^400 .*InvalidCiphertextException/);
    const wrong = [
      // Bytes 1 to 16 name the key.
      ...Array.from(blob, (_, place) => flipped(place, place % 8)).filter((_, place) => place < 1 || place > 16),
      ...Array.from(blob, (_, length) => blob.subarray(0, length)).slice(1),
      ...[1, 16, 6144 - blob.length].map((length) => Buffer.concat([blob, Buffer.alloc(length)])),
      Buffer.concat([blob, blob]),
      Buffer.alloc(blob.length),
    ];
    for (const ciphertext of wrong) assert.equal(await answerTo(ciphertext), expected);
    assert.equal(await answerTo(blob, { EncryptionContext: { film: 'two' } }), expected);
    assert.equal(await answerTo(blob, { EncryptionContext: {} }), expected);
    assert.equal(await answerTo(blob, { EncryptionContext: { film: 'one', reel: '2' } }), expected);
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext }));
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'a data key');
  });

  it('says as much of the keys of other accounts as of those that are nowhere, whatever the ciphertext is like', async () => {
    const account = await createAccount(platform);
    const stranger = { caller: account };
    const denied = await answerTo(blob, {}, stranger);
    assert.match(
      denied,
      /^400 .*AccessDeniedException.* kms:Decrypt on this resource because the resource does not exist/,
    );
    for (const ciphertext of [
      ...Array.from(blob, (_, place) => flipped(place)).slice(1),
      Buffer.concat([blob, blob]),
    ]) {
      assert.equal(await answerTo(ciphertext, {}, stranger), denied);
    }
    assert.equal(await answerTo(blob, { EncryptionContext: {} }, stranger), denied);
    assert.equal(await answerTo(flipped(0), {}, stranger), await answerTo(flipped(0)));
    const ownName = `arn:aws:iam::${platform.accountId}:root`;
    const toOwner = denied.replace(`arn:aws:iam::${account.accountId}:root`, ownName);
    for (let place = 1; place <= 16; place++) assert.equal(await answerTo(flipped(place)), toOwner, `byte ${place}`);
    assert.equal(await answerTo(blob, {}, { region: 'eu-west-1' }), toOwner, 'in another Region');
  });

  it('says of a key that is named only whether it is the ciphertext’s, with the key or without', async () => {
    const expected = await answerTo(randomBytes(100), { KeyId });
    assert.match(expected, /InvalidCiphertextException/);
    const incorrect = await answerTo(blob, { KeyId: other });
    assert.match(incorrect, /IncorrectKeyException/);
    for (let place = 0; place < blob.length; place++) {
      // Bytes 1 to 16 name the key.
      const answer = place >= 1 && place <= 16 ? incorrect : expected;
      assert.equal(await answerTo(flipped(place), { KeyId }), answer, `byte ${place}`);
    }
  });

  it('takes no part of one ciphertext for a part of another', async () => {
    const [first, second, foreign] = [await encrypt(KeyId), await encrypt(KeyId), await encrypt(other)];
    await fc.assert(
      fc.asyncProperty(fc.nat(blob.length - 1), fc.nat(blob.length), fc.boolean(), async (from, length, isOwn) => {
        const source = isOwn ? second : foreign;
        const mixed = Buffer.from(first);
        source.copy(mixed, from, from, from + length);
        fc.pre(!mixed.equals(first) && !mixed.equals(source));
        const command = new DecryptCommand({ CiphertextBlob: mixed, EncryptionContext });
        // The parts of two keys' ids name no key.
        const keyId = mixed.subarray(1, 17);
        const isOfKey = [first, foreign].some((one) => one.subarray(1, 17).equals(keyId));
        const name = isOfKey ? 'InvalidCiphertextException' : 'AccessDeniedException';
        await assert.rejects(kms.send(command), failsWith(name));
      }),
      { numRuns: 60 },
    );
  });

  it('gives back whatever was encrypted, in whatever context', async () => {
    const names = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const contexts = fc.dictionary(names, fc.string({ maxLength: 40, unit: 'grapheme' }), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), contexts, async (Plaintext, context) => {
        const input = { KeyId, Plaintext, EncryptionContext: context };
        const { CiphertextBlob } = await kms.send(new EncryptCommand(input));
        const again = new ReEncryptCommand({
          CiphertextBlob,
          SourceEncryptionContext: context,
          DestinationKeyId: other,
          DestinationEncryptionContext: context,
        });
        const moved = await kms.send(again);
        for (const sealed of [CiphertextBlob, moved.CiphertextBlob]) {
          const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed, EncryptionContext: context }));
          assert.deepEqual(Uint8Array.from(opened.Plaintext ?? []), Uint8Array.from(Plaintext));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuses bodies that are no JSON, and those that are too deep or too large', async () => {
    const deep = 50_000;
    const bodies: readonly (readonly [what: string, body: Buffer | string])[] = [
      ['nothing but a space', ' '],
      ['a list', '[]'],
      ['a text', '"KeyId"'],
      ['null', 'null'],
      ['a comma too much', '{"KeyId":"a",}'],
      ['two objects', '{"KeyId":"a"}{"KeyId":"b"}'],
      ['half an object', '{"KeyId":"a"'],
      ['one quote for two', "{'KeyId':'a'}"],
      ['a comment', '{"KeyId":"a"/**/}'],
      ['no number', '{"Limit":NaN}'],
      ['a byte that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
      ['deep lists', `{"KeyId":${'['.repeat(deep)}${']'.repeat(deep)}}`],
      ['deep objects', `${'{"KeyId":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ];
    for (const [what, body] of bodies) {
      const response = await send('Encrypt', Buffer.from(body));
      assert.deepEqual([response.status, errorCodeOf(response)], [400, 'SerializationException'], what);
    }
    const large = await send('Encrypt', Buffer.alloc(9 * 1024 * 1024, 0x20));
    assert.ok(large.status === 413 || large.status === 400, `${large.status}`);
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 'v']));
    const context = await send('Encrypt', json({ KeyId, Plaintext: 'YQ==', EncryptionContext: many }));
    assert.ok(context.status === 200 || context.status === 400);
    const unknown = await send('DescribeKey', json({ KeyId, ...many }));
    assert.equal(unknown.status, 200, 'members that are not known are not read');
  });

  it('has one opinion of members that come twice, and of names that objects have anyway', async () => {
    const twice = Buffer.from(`{"KeyId":"${other}","KeyId":"${KeyId}"}`);
    const { KeyMetadata } = JSON.parse((await send('DescribeKey', twice)).body.toString()) as {
      readonly KeyMetadata: { readonly KeyId: string };
    };
    assert.equal(KeyMetadata.KeyId, KeyId, 'the last one counts, for the policy as for the answer');
    const CiphertextBlob = blob.toString('base64');
    const odd = Buffer.from(`{"CiphertextBlob":"${CiphertextBlob}","__proto__":{"EncryptionContext":{"film":"one"}}}`);
    assert.equal(errorCodeOf(await send('Decrypt', odd)), 'InvalidCiphertextException');
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const context = `{"${name}":"x"}`;
      const sealing = `{"KeyId":"${KeyId}","Plaintext":"YQ==","EncryptionContext":${context}}`;
      const answer = JSON.parse((await send('Encrypt', Buffer.from(sealing))).body.toString()) as {
        readonly CiphertextBlob: string;
      };
      const without = await send('Decrypt', json({ CiphertextBlob: answer.CiphertextBlob }));
      assert.equal(errorCodeOf(without), 'InvalidCiphertextException', name);
      const opening = `{"CiphertextBlob":"${answer.CiphertextBlob}","EncryptionContext":${context}}`;
      assert.equal((await send('Decrypt', Buffer.from(opening))).status, 200, name);
    }
  });

  it('says of each syntax error in a policy where it is', async () => {
    const policy = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": { "AWS": "arn:aws:iam::${platform.accountId}:root" },
    "Action": "kms:*",
    "Resource": "*",
    "Condition": { "StringEquals": { "kms:CallerAccount": "${platform.accountId}" } }
  }]
}`;
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy }));
    const errors: readonly (readonly [from: string, to: string, line: number])[] = [
      ['"2012-10-17"', '"2013-01-01"', 2],
      ['"Version"', '"Varsion"', 2],
      ['"Effect": "Allow"', '"Effect": "allow"', 4],
      ['"Effect": "Allow",', '', 3],
      ['"AWS": "arn', '"AWS": "arm', 5],
      ['{ "AWS"', '{ "Aws"', 5],
      ['"Action": "kms:*"', '"Action": "kms"', 6],
      ['"Action": "kms:*"', '"Action": 7', 6],
      ['"Action": "kms:*"', '"Action": "kms:*", "NotAction": "kms:*"', 6],
      ['"Resource": "*",', '"Resource": "*"', 8],
      ['"Resource": "*"', '"Resource": "*", "Resource": "*"', 7],
      ['StringEquals', 'StringIs', 8],
      [`"kms:CallerAccount": "${platform.accountId}"`, '"kms:CallerAccount": { "a": "b" }', 8],
      ['}]', '}', 10],
    ];
    for (const [from, to, line] of errors) {
      assert.ok(policy.includes(from), from);
      const command = new PutKeyPolicyCommand({ KeyId, Policy: policy.replace(from, to) });
      const place = new RegExp(`[Ll]ine ${line}, column \\d+`);
      await assert.rejects(kms.send(command), failsWith('MalformedPolicyDocumentException', place), to);
    }
  });
});
