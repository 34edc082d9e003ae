import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  type DecryptCommandInput,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { failsWith } from '../harness/kms-errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('KMS, by the SDK', () => {
  let platform: TestPlatform;
  let kms: KMSClient;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
  });

  async function createKey(): Promise<{ id: string; arn: string }> {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    return { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
  }

  it('encrypts and decrypts under every form of a key’s name', async () => {
    const { id, arn } = await createKey();
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/forms', TargetKeyId: id }));
    const aliasArn = arn.replace(/key\/.*/, 'alias/forms');
    for (const KeyId of [id, arn, 'alias/forms', aliasArn]) {
      const Plaintext = Buffer.from(`by ${KeyId}`);
      const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { a: 'b' } }));
      assert.equal(sealed.KeyId, arn);
      const opened = await kms.send(
        new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: { a: 'b' } }),
      );
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
      assert.equal(opened.KeyId, arn);
    }
  });

  it('gives the same error without a hint for every ciphertext that does not open', async () => {
    const { id } = await createKey();
    const sealed = await kms.send(
      new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x'), EncryptionContext: { a: 'b' } }),
    );
    const blob = Buffer.from(sealed.CiphertextBlob ?? []);
    const flipped = Buffer.from(blob);
    flipped[blob.length - 1] = (flipped[blob.length - 1] ?? 0) ^ 1;
    for (const [CiphertextBlob, EncryptionContext] of [
      [flipped, { a: 'b' }],
      [blob, { a: 'c' }],
      [blob, {}],
      [blob.subarray(0, 40), { a: 'b' }],
      [Buffer.concat([blob, blob]), { a: 'b' }],
      [Buffer.from('not a ciphertext'), { a: 'b' }],
    ] as const) {
      await assert.rejects(
        kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })),
        failsWith('InvalidCiphertextException'),
      );
    }
  });

  it('refuses to decrypt with a key that the ciphertext is not of', async () => {
    const [first, second] = [await createKey(), await createKey()];
    const sealed = await kms.send(new EncryptCommand({ KeyId: first.id, Plaintext: Buffer.from('x') }));
    await assert.rejects(
      kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob, KeyId: second.id })),
      failsWith('IncorrectKeyException'),
    );
  });

  it('generates data keys that decrypt to their plaintext', async () => {
    const { id } = await createKey();
    const key = await kms.send(new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_256' }));
    assert.equal(key.Plaintext?.length, 32);
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: key.CiphertextBlob }));
    assert.deepEqual(opened.Plaintext, key.Plaintext);
    const bare = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: id, NumberOfBytes: 1024 }));
    assert.equal((await kms.send(new DecryptCommand({ CiphertextBlob: bare.CiphertextBlob }))).Plaintext?.length, 1024);
    await assert.rejects(
      kms.send(new GenerateDataKeyCommand({ KeyId: id })),
      failsWith('ValidationException', 'Please specify either number of bytes or key spec.'),
    );
    await assert.rejects(
      kms.send(new GenerateDataKeyCommand({ KeyId: id, NumberOfBytes: 1025 })),
      failsWith('ValidationException', /less than or equal to 1024/),
    );
  });

  it('re-encrypts under another key and context', async () => {
    const [first, second] = [await createKey(), await createKey()];
    const sealed = await kms.send(
      new EncryptCommand({ KeyId: first.id, Plaintext: Buffer.from('moving'), EncryptionContext: { from: '1' } }),
    );
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: sealed.CiphertextBlob,
        SourceEncryptionContext: { from: '1' },
        DestinationKeyId: second.arn,
        DestinationEncryptionContext: { to: '2' },
      }),
    );
    assert.equal(moved.SourceKeyId, first.arn);
    assert.equal(moved.KeyId, second.arn);
    await kms.send(new DisableKeyCommand({ KeyId: first.id }));
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { to: '2' } }),
    );
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'moving');
  });

  it('does nothing with a disabled key, and works again when it is enabled', async () => {
    const { id, arn } = await createKey();
    const sealed = await kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x') }));
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    const isDisabled = failsWith('DisabledException', `${arn} is disabled.`);
    await assert.rejects(kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x') })), isDisabled);
    await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob })), isDisabled);
    await assert.rejects(kms.send(new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_128' })), isDisabled);
    await kms.send(new EnableKeyCommand({ KeyId: id }));
    await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));
  });

  it('keeps a key that is pending deletion from use, and gives it back disabled', async () => {
    const { id, arn } = await createKey();
    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    assert.equal(scheduled.KeyState, 'PendingDeletion');
    const isPending = failsWith('KMSInvalidStateException', `${arn} is pending deletion.`);
    await assert.rejects(kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x') })), isPending);
    await assert.rejects(kms.send(new EnableKeyCommand({ KeyId: id })), isPending);
    await assert.rejects(kms.send(new ScheduleKeyDeletionCommand({ KeyId: id })), isPending);
    await kms.send(new CancelKeyDeletionCommand({ KeyId: id }));
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: id }));
    assert.equal(KeyMetadata?.KeyState, 'Disabled');
    await assert.rejects(
      kms.send(new CancelKeyDeletionCommand({ KeyId: id })),
      failsWith('KMSInvalidStateException', `${arn} is not pending deletion.`),
    );
    await assert.rejects(
      kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 6 })),
      failsWith('ValidationException'),
    );
  });

  it('manages aliases: moving one moves what it encrypts with', async () => {
    const [first, second] = [await createKey(), await createKey()];
    const AliasName = 'alias/moving';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: first.id }));
    await assert.rejects(
      kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: second.id })),
      failsWith('AlreadyExistsException'),
    );
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: second.id }));
    const sealed = await kms.send(new EncryptCommand({ KeyId: AliasName, Plaintext: Buffer.from('x') }));
    assert.equal(sealed.KeyId, second.arn);
    const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: second.id }));
    assert.deepEqual(
      Aliases?.map((alias) => alias.AliasName),
      [AliasName],
    );
    await kms.send(new DeleteAliasCommand({ AliasName }));
    await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: AliasName })), failsWith('NotFoundException'));
    await assert.rejects(
      kms.send(new CreateAliasCommand({ AliasName: 'alias/aws/mine', TargetKeyId: first.id })),
      failsWith('InvalidAliasNameException'),
    );
  });

  it('lists keys page by page, each once', async () => {
    for (let i = 0; i < 5; i++) await createKey();
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.send(new ListKeysCommand({ Limit: 2, ...(Marker === undefined ? {} : { Marker }) }));
      seen.push(...(page.Keys ?? []).map((key) => key.KeyId ?? ''));
      assert.equal(page.Truncated, page.NextMarker !== undefined);
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    assert.ok(seen.length >= 5);
    assert.equal(new Set(seen).size, seen.length);
    await assert.rejects(kms.send(new ListKeysCommand({ Marker: '%%%' })), failsWith('InvalidMarkerException'));
  });

  it('refuses key policies that are broken or lock the caller out', async () => {
    const { id, arn } = await createKey();
    const before = await kms.send(new GetKeyPolicyCommand({ KeyId: id }));
    const lockOut = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${platform.accountId}:root` },
          Action: 'kms:Describe*',
          Resource: '*',
        },
      ],
    });
    await assert.rejects(
      kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: lockOut })),
      failsWith(
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      ),
    );
    await assert.rejects(
      kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: '{"Version":"2012-10-17","Statement":[],}' })),
      failsWith('MalformedPolicyDocumentException', /[Ll]ine 1/),
    );
    assert.equal((await kms.send(new GetKeyPolicyCommand({ KeyId: id }))).Policy, before.Policy);
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: lockOut, BypassPolicyLockoutSafetyCheck: true }));
    await assert.rejects(
      kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x') })),
      failsWith(
        'AccessDeniedException',
        new RegExp(`kms:Encrypt on resource: ${arn} because no resource-based policy allows`),
      ),
    );
  });

  it('makes aws/s3 at first use, for S3 alone', async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
    assert.equal(KeyMetadata?.KeyManager, 'AWS');
    const KeyId = KeyMetadata?.KeyId ?? '';
    await assert.rejects(
      kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
      failsWith('AccessDeniedException', /no resource-based policy allows the kms:GenerateDataKey action/),
    );
    await assert.rejects(kms.send(new DisableKeyCommand({ KeyId })), failsWith('AccessDeniedException'));
  });

  it('tags and untags keys', async () => {
    const { id } = await createKey();
    await kms.send(
      new TagResourceCommand({
        KeyId: id,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'b', TagValue: '' },
        ],
      }),
    );
    await kms.send(new TagResourceCommand({ KeyId: id, Tags: [{ TagKey: 'a', TagValue: '2' }] }));
    await kms.send(new UntagResourceCommand({ KeyId: id, TagKeys: ['b', 'none'] }));
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: id }));
    assert.deepEqual(Tags, [{ TagKey: 'a', TagValue: '2' }]);
  });

  it('refuses by name what it does not carry out', async () => {
    const { id } = await createKey();
    await assert.rejects(
      kms.send(new CreateKeyCommand({ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' })),
      failsWith('UnsupportedOperationException', /SM2/),
    );
    await assert.rejects(
      kms.send(new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('x'), DryRun: true })),
      failsWith('DryRunOperationException'),
    );
  });

  it('answers a dry run of Decrypt about a key alone, without a ciphertext', async () => {
    const { id } = await createKey();
    const ask = (input: Partial<DecryptCommandInput>) =>
      kms.send(
        new DecryptCommand({ CiphertextBlob: undefined, DryRunModifiers: ['IGNORE_CIPHERTEXT'], KeyId: id, ...input }),
      );
    await assert.rejects(ask({ DryRun: true }), failsWith('DryRunOperationException'));
    await assert.rejects(ask({ DryRun: true, KeyId: undefined }), failsWith('ValidationException', /KeyId/));
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    await assert.rejects(ask({ DryRun: true }), failsWith('DisabledException'));
    await assert.rejects(
      ask({ DryRun: true, KeyId: '00000000-0000-4000-8000-000000000000' }),
      failsWith('NotFoundException'),
    );
  });

  it('tells a key of another region or account by what AWS tells', async () => {
    const { arn, id } = await createKey();
    const elsewhere = new KMSClient(platform.clientConfig(undefined, 'eu-west-1'));
    await assert.rejects(elsewhere.send(new DescribeKeyCommand({ KeyId: id })), failsWith('NotFoundException'));
    await assert.rejects(elsewhere.send(new DescribeKeyCommand({ KeyId: arn })), failsWith('InvalidArnException'));
    elsewhere.destroy();
    await assert.rejects(
      kms.send(new DescribeKeyCommand({ KeyId: arn.replace(platform.accountId, '999999999999') })),
      failsWith('AccessDeniedException', /does not exist in this Region/),
    );
  });
});
