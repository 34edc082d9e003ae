import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { failsWith } from '../harness/secrets-manager.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('Secrets Manager', () => {
  let platform: TestPlatform;
  let client: SecretsManagerClient;

  before(async () => {
    platform = await startTestPlatform();
    client = new SecretsManagerClient(platform.clientConfig());
  });
  after(async () => {
    client.destroy();
    await platform.stop();
  });

  const create = async (Name: string, SecretString = 'one') => {
    const { ARN, VersionId } = await client.send(new CreateSecretCommand({ Name, SecretString }));
    assert.ok(ARN && VersionId);
    return { arn: ARN, version: VersionId };
  };
  const put = async (SecretId: string, SecretString: string, VersionStages?: string[]) => {
    const { VersionId = '' } = await client.send(
      new PutSecretValueCommand({ SecretId, SecretString, ...(VersionStages && { VersionStages }) }),
    );
    return VersionId;
  };
  const valueOf = async (SecretId: string, extra: { VersionId?: string; VersionStage?: string } = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId, ...extra }))).SecretString;
  const stagesOf = async (SecretId: string) =>
    (await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};

  it('gives back a text and bytes as they came, with name, ARN, version and label', async () => {
    const text = `line one\nünï\u{1f512}"quoted"`;
    const { arn, version } = await create('plain/text', text);
    assert.match(
      arn,
      new RegExp(`^arn:aws:secretsmanager:us-east-1:${platform.accountId}:secret:plain/text-[A-Za-z0-9]{6}$`),
    );
    const answer = await client.send(new GetSecretValueCommand({ SecretId: 'plain/text' }));
    assert.equal(answer.SecretString, text);
    assert.equal(answer.SecretBinary, undefined);
    assert.deepEqual([answer.ARN, answer.Name, answer.VersionId], [arn, 'plain/text', version]);
    assert.deepEqual(answer.VersionStages, ['AWSCURRENT']);
    assert.ok(answer.CreatedDate instanceof Date);

    const SecretBinary = Uint8Array.from([0, 255, 1, 128]);
    await client.send(new CreateSecretCommand({ Name: 'bytes', SecretBinary }));
    const binary = await client.send(new GetSecretValueCommand({ SecretId: 'bytes' }));
    assert.deepEqual(Buffer.from(binary.SecretBinary ?? []), Buffer.from(SecretBinary));
    assert.equal(binary.SecretString, undefined);
  });

  it('is found by its name, its ARN, and its ARN without the six characters; not by another ending', async () => {
    const { arn } = await create('found');
    const partial = arn.slice(0, -7);
    for (const SecretId of ['found', arn, partial]) assert.equal(await valueOf(SecretId), 'one');
    const missing = failsWith('ResourceNotFoundException', /^Secrets Manager can't find the specified secret\.$/);
    const other = `${partial}-${arn.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;
    const elsewhere = arn.replace('us-east-1', 'eu-west-1');
    for (const SecretId of [other, elsewhere, 'Found', 'arn:aws:s3:::found']) {
      await assert.rejects(valueOf(SecretId), missing, SecretId);
    }
    // A partial ARN that ends as a complete one is taken for one (user guide).
    const trap = await create('trap-secret');
    await assert.rejects(valueOf(trap.arn.slice(0, -7)), missing);
    assert.equal(await valueOf('trap-secret'), 'one');
  });

  it('moves AWSCURRENT with each new value, and AWSPREVIOUS behind it', async () => {
    const { version: first } = await create('moving');
    const second = await put('moving', 'two');
    assert.deepEqual(await stagesOf('moving'), { [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    const third = await put('moving', 'three');
    assert.deepEqual(await stagesOf('moving'), { [second]: ['AWSPREVIOUS'], [third]: ['AWSCURRENT'] });
    assert.equal(await valueOf('moving'), 'three');
    assert.equal(await valueOf('moving', { VersionStage: 'AWSPREVIOUS' }), 'two');
    assert.equal(await valueOf('moving', { VersionId: first }), 'one');
    await assert.rejects(
      valueOf('moving', { VersionId: third, VersionStage: 'AWSPREVIOUS' }),
      failsWith('InvalidRequestException', /VersionStage that is not associated to the provided VersionId/),
    );
    await assert.rejects(
      valueOf('moving', { VersionStage: 'NONE' }),
      failsWith('ResourceNotFoundException', /staging label: NONE/),
    );
    await assert.rejects(
      valueOf('moving', { VersionId: randomUUID() }),
      failsWith('ResourceNotFoundException', /VersionId: /),
    );
    const listed = await client.send(new ListSecretVersionIdsCommand({ SecretId: 'moving' }));
    assert.deepEqual(listed.Versions?.map(({ VersionId }) => VersionId).sort(), [second, third].sort());
    const all = await client.send(new ListSecretVersionIdsCommand({ SecretId: 'moving', IncludeDeprecated: true }));
    assert.deepEqual(all.Versions?.map(({ VersionId }) => VersionId).sort(), [first, second, third].sort());
    assert.deepEqual(all.Versions?.[0]?.KmsKeyIds, ['DefaultEncryptionKey']);
  });

  it('pages through versions', async () => {
    const { version } = await create('paged');
    const ids = [version, await put('paged', '2', ['a']), await put('paged', '3', ['b'])];
    const seen: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(
        new ListSecretVersionIdsCommand({ SecretId: 'paged', MaxResults: 1, ...(NextToken && { NextToken }) }),
      );
      assert.equal(page.Versions?.length, 1);
      seen.push(page.Versions[0]?.VersionId);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(new Set(seen), new Set(ids));
    await assert.rejects(
      client.send(new ListSecretVersionIdsCommand({ SecretId: 'paged', NextToken: 'nonsense' })),
      failsWith('InvalidNextTokenException', /NextToken/),
    );
  });

  it('leaves AWSCURRENT alone when other labels are asked for, except on a secret without a value', async () => {
    const { version } = await create('staged');
    const pending = await put('staged', 'two', ['AWSPENDING', 'mine']);
    assert.deepEqual(await stagesOf('staged'), { [version]: ['AWSCURRENT'], [pending]: ['AWSPENDING', 'mine'] });
    assert.equal(await valueOf('staged'), 'one');

    await client.send(new CreateSecretCommand({ Name: 'empty' }));
    assert.deepEqual(await stagesOf('empty'), {});
    await assert.rejects(valueOf('empty'), failsWith('ResourceNotFoundException', /staging label: AWSCURRENT/));
    const only = await put('empty', 'x', ['AWSPENDING']);
    assert.deepEqual(await stagesOf('empty'), { [only]: ['AWSCURRENT', 'AWSPENDING'] });
  });

  it('moves labels only from where they are said to be, and never takes AWSCURRENT away', async () => {
    const { version: first } = await create('labels');
    const second = await put('labels', 'two');
    const stage = (input: { VersionStage: string; MoveToVersionId?: string; RemoveFromVersionId?: string }) =>
      client.send(new UpdateSecretVersionStageCommand({ SecretId: 'labels', ...input }));
    const invalid = (pattern: RegExp) => failsWith('InvalidParameterException', pattern);

    await assert.rejects(
      stage({ VersionStage: 'AWSCURRENT', MoveToVersionId: first }),
      invalid(/RemoveFromVersionId can't be empty/),
    );
    await assert.rejects(
      stage({ VersionStage: 'AWSCURRENT', MoveToVersionId: first, RemoveFromVersionId: first }),
      invalid(/must reference the version/),
    );
    await assert.rejects(stage({ VersionStage: 'AWSCURRENT', RemoveFromVersionId: second }), invalid(/can't remove/));
    await assert.rejects(stage({ VersionStage: 'AWSCURRENT' }), invalid(/must provide/));
    await assert.rejects(
      stage({ VersionStage: 'x', MoveToVersionId: randomUUID() }),
      failsWith('ResourceNotFoundException', /VersionId/),
    );
    await stage({ VersionStage: 'AWSCURRENT', MoveToVersionId: first, RemoveFromVersionId: second });
    assert.deepEqual(await stagesOf('labels'), { [first]: ['AWSCURRENT'], [second]: ['AWSPREVIOUS'] });
    assert.equal(await valueOf('labels'), 'one');
    await stage({ VersionStage: 'extra', MoveToVersionId: second });
    await stage({ VersionStage: 'extra', RemoveFromVersionId: second });
    await stage({ VersionStage: 'AWSPREVIOUS', RemoveFromVersionId: second });
    assert.deepEqual(await stagesOf('labels'), { [first]: ['AWSCURRENT'] });
  });

  it('has at most 20 labels', async () => {
    await create('many-labels');
    const nineteen = Array.from({ length: 19 }, (_, index) => `label-${index}`);
    await put('many-labels', 'x', nineteen);
    await assert.rejects(
      put('many-labels', 'y', ['one-more']),
      failsWith('LimitExceededException', /20 staging labels/),
    );
  });

  it('answers a repeated request as before, and refuses its token for another value', async () => {
    const ClientRequestToken = randomUUID();
    const request = { Name: 'repeated', SecretString: 'same', ClientRequestToken };
    const one = await client.send(new CreateSecretCommand(request));
    const again = await client.send(new CreateSecretCommand(request));
    assert.deepEqual([again.ARN, again.VersionId], [one.ARN, ClientRequestToken]);
    const exists = failsWith('ResourceExistsException', /repeated already exists/);
    await assert.rejects(client.send(new CreateSecretCommand({ ...request, SecretString: 'other' })), exists);
    await assert.rejects(create('repeated', 'same'), exists);

    const token = randomUUID();
    const write = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId: 'repeated', SecretString, ClientRequestToken: token }));
    assert.equal((await write('new')).VersionId, token);
    await put('repeated', 'newer');
    // Nothing happens: the newer value stays.
    assert.deepEqual((await write('new')).VersionStages, ['AWSPREVIOUS']);
    assert.equal(await valueOf('repeated'), 'newer');
    await assert.rejects(write('another'), failsWith('ResourceExistsException', /already in use/));
    await assert.rejects(
      client.send(new UpdateSecretCommand({ SecretId: 'repeated', SecretString: 'new', ClientRequestToken: token })),
      failsWith('ResourceExistsException', /already in use/),
    );
  });

  it('keeps its labels consistent when values come at once', async () => {
    const { version } = await create('racing');
    const values = Array.from({ length: 24 }, (_, index) => `value ${index}`);
    const ids = await Promise.all(values.map((value) => put('racing', value)));
    const stages = await stagesOf('racing');
    const holders = (label: string) => Object.keys(stages).filter((id) => stages[id]?.includes(label));
    assert.equal(holders('AWSCURRENT').length, 1);
    assert.equal(holders('AWSPREVIOUS').length, 1);
    assert.deepEqual(Object.keys(stages).length, 2);
    const { Versions = [] } = await client.send(
      new ListSecretVersionIdsCommand({ SecretId: 'racing', IncludeDeprecated: true }),
    );
    assert.deepEqual(new Set(Versions.map(({ VersionId }) => VersionId)), new Set([version, ...ids]));
    const current = holders('AWSCURRENT')[0] ?? '';
    assert.equal(await valueOf('racing'), values[ids.indexOf(current)]);

    const ClientRequestToken = randomUUID();
    const same = await Promise.all(
      Array.from({ length: 8 }, () =>
        client.send(new CreateSecretCommand({ Name: 'racing-create', SecretString: 'x', ClientRequestToken })),
      ),
    );
    assert.equal(new Set(same.map(({ ARN }) => ARN)).size, 1);
  });

  it('changes its description alone, or its value too', async () => {
    const { version } = await create('updated');
    const described = await client.send(new UpdateSecretCommand({ SecretId: 'updated', Description: 'of a door' }));
    assert.equal(described.VersionId, undefined);
    const { VersionId } = await client.send(new UpdateSecretCommand({ SecretId: 'updated', SecretString: 'two' }));
    const details = await client.send(new DescribeSecretCommand({ SecretId: 'updated' }));
    assert.equal(details.Description, 'of a door');
    assert.equal(details.KmsKeyId, undefined);
    assert.equal(details.RotationEnabled, undefined);
    assert.deepEqual(details.VersionIdsToStages, { [version]: ['AWSPREVIOUS'], [VersionId ?? '']: ['AWSCURRENT'] });
  });

  it('cannot be used once it is to be deleted, and can again when it is restored', async () => {
    const { arn } = await create('doomed');
    const before = Date.now();
    const { DeletionDate } = await client.send(
      new DeleteSecretCommand({ SecretId: 'doomed', RecoveryWindowInDays: 7 }),
    );
    assert.ok(DeletionDate && Math.abs(DeletionDate.getTime() - before - 7 * 86_400_000) < 60_000);
    const marked = failsWith(
      'InvalidRequestException',
      /^You can't perform this operation on the secret because it was marked for deletion\.$/,
    );
    await assert.rejects(valueOf('doomed'), marked);
    await assert.rejects(put('doomed', 'x'), marked);
    await assert.rejects(client.send(new UpdateSecretCommand({ SecretId: arn, Description: 'x' })), marked);
    await assert.rejects(client.send(new DeleteSecretCommand({ SecretId: arn })), marked);
    await assert.rejects(
      create('doomed'),
      failsWith('InvalidRequestException', /a secret with this name is already scheduled for deletion/),
    );
    assert.ok((await client.send(new DescribeSecretCommand({ SecretId: 'doomed' }))).DeletedDate instanceof Date);
    await client.send(new RestoreSecretCommand({ SecretId: 'doomed' }));
    assert.equal(await valueOf('doomed'), 'one');
    assert.equal((await client.send(new DescribeSecretCommand({ SecretId: 'doomed' }))).DeletedDate, undefined);
  });

  it('is gone at once when it is forced, and its name is free', async () => {
    const { arn } = await create('forced');
    await client.send(new DeleteSecretCommand({ SecretId: 'forced', ForceDeleteWithoutRecovery: true }));
    await assert.rejects(valueOf('forced'), failsWith('ResourceNotFoundException', /specified secret/));
    const again = await create('forced', 'new');
    assert.notEqual(again.arn, arn);
    await assert.rejects(valueOf(arn), failsWith('ResourceNotFoundException', /specified secret/));
    // Nobody is told that there was nothing to delete.
    const nothing = await client.send(
      new DeleteSecretCommand({ SecretId: 'never-there', ForceDeleteWithoutRecovery: true }),
    );
    assert.equal(nothing.Name, 'never-there');
    await client.send(new DeleteSecretCommand({ SecretId: 'forced' }));
    await client.send(new DeleteSecretCommand({ SecretId: 'forced', ForceDeleteWithoutRecovery: true }));
    await create('forced', 'newest');
  });

  it('refuses recovery windows that there are not', async () => {
    await create('windows');
    const invalid = (pattern: RegExp) => failsWith('InvalidParameterException', pattern);
    for (const RecoveryWindowInDays of [0, 6, 31, -7]) {
      const command = new DeleteSecretCommand({ SecretId: 'windows', RecoveryWindowInDays });
      await assert.rejects(client.send(command), invalid(/between 7 and 30 days/), String(RecoveryWindowInDays));
    }
    await assert.rejects(
      client.send(
        new DeleteSecretCommand({ SecretId: 'windows', RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }),
      ),
      invalid(/in conjunction with RecoveryWindowInDays/),
    );
  });

  it('takes 65,536 bytes, and refuses one more, two values, none, and names that are none', async () => {
    await create('largest', 'x'.repeat(65_536));
    assert.equal((await valueOf('largest'))?.length, 65_536);
    await assert.rejects(create('too-large', 'x'.repeat(65_537)), failsWith('ValidationException', /65536/));
    // 32,769 letters of two bytes each.
    await assert.rejects(
      create('too-large', 'ü'.repeat(32_769)),
      failsWith('InvalidParameterException', /65536 bytes/),
    );
    const both = { SecretString: 'x', SecretBinary: Uint8Array.of(1) };
    await assert.rejects(
      client.send(new CreateSecretCommand({ Name: 'both', ...both })),
      failsWith('InvalidParameterException', /both SecretString and SecretBinary/),
    );
    await assert.rejects(
      client.send(new PutSecretValueCommand({ SecretId: 'largest' })),
      failsWith('InvalidParameterException', /either SecretString or SecretBinary/),
    );
    await assert.rejects(create('largest', ''), failsWith('ValidationException', /length/));
    for (const name of ['a b', 'ü', 'a:b', 'a*', 'a\n']) {
      await assert.rejects(create(name), failsWith('ValidationException', /Invalid name/), name);
    }
    await assert.rejects(create('x'.repeat(513)), failsWith('ValidationException', /512/));
    await assert.rejects(
      client.send(new PutSecretValueCommand({ SecretId: 'largest', SecretString: 'x', RotationToken: 'a'.repeat(36) })),
      failsWith('InvalidParameterException', /RotationToken/),
    );
    await assert.rejects(
      client.send(new CreateSecretCommand({ Name: 'typed', SecretString: 'x', Type: 'SomePartner' })),
      failsWith('InvalidParameterException', /Type/),
    );
  });

  it('has tags, at most 50, none of AWS’s own', async () => {
    await client.send(new CreateSecretCommand({ Name: 'tagged', Tags: [{ Key: 'team', Value: 'blue' }] }));
    await client.send(
      new TagResourceCommand({
        SecretId: 'tagged',
        Tags: [
          { Key: 'team', Value: 'red' },
          { Key: 'Team', Value: 'x' },
        ],
      }),
    );
    const tagsOf = async () => (await client.send(new DescribeSecretCommand({ SecretId: 'tagged' }))).Tags;
    assert.deepEqual(await tagsOf(), [
      { Key: 'team', Value: 'red' },
      { Key: 'Team', Value: 'x' },
    ]);
    await client.send(new UntagResourceCommand({ SecretId: 'tagged', TagKeys: ['Team', 'none'] }));
    assert.deepEqual(await tagsOf(), [{ Key: 'team', Value: 'red' }]);
    const invalid = (pattern: RegExp) => failsWith('InvalidParameterException', pattern);
    const tag = (Tags: { Key: string; Value: string }[]) =>
      client.send(new TagResourceCommand({ SecretId: 'tagged', Tags }));
    await assert.rejects(tag([{ Key: 'aws:x', Value: '' }]), invalid(/aws:/));
    await assert.rejects(
      tag(Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }))),
      invalid(/50 tags/),
    );
  });

  it('takes strange labels, tokens and tags for what they are', async () => {
    const { version } = await create('strange');
    const strange = ['__proto__', 'constructor', '"],["AWSCURRENT', '\\', 'ü \u{1f512}', '%', "'; DROP TABLE x"];
    const ClientRequestToken = `__proto__"],[\\'--${'ü'.repeat(20)}`;
    await client.send(
      new PutSecretValueCommand({ SecretId: 'strange', SecretString: 'x', ClientRequestToken, VersionStages: strange }),
    );
    assert.deepEqual(new Set((await stagesOf('strange'))[ClientRequestToken]), new Set(strange));
    assert.deepEqual((await stagesOf('strange'))[version], ['AWSCURRENT']);
    for (const VersionStage of strange) assert.equal(await valueOf('strange', { VersionStage }), 'x', VersionStage);
    assert.equal(await valueOf('strange', { VersionId: ClientRequestToken }), 'x');
    const Tags = ['__proto__', 'constructor', '"'].map((Key) => ({ Key, Value: Key }));
    await client.send(new TagResourceCommand({ SecretId: 'strange', Tags }));
    assert.deepEqual((await client.send(new DescribeSecretCommand({ SecretId: 'strange' }))).Tags, Tags);
    await client.send(new UntagResourceCommand({ SecretId: 'strange', TagKeys: ['__proto__'] }));
    assert.deepEqual((await client.send(new DescribeSecretCommand({ SecretId: 'strange' }))).Tags, Tags.slice(1));
  });

  it('makes passwords of what was asked for', async () => {
    const password = async (input: object) =>
      (await client.send(new GetRandomPasswordCommand(input))).RandomPassword ?? '';
    const plain = await password({});
    assert.equal(plain.length, 32);
    for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) assert.match(plain, kind);
    assert.notEqual(plain, await password({}));
    assert.match(
      await password({ PasswordLength: 4096, ExcludePunctuation: true, ExcludeCharacters: 'abc1' }),
      /^[d-zA-Z02-9]{4096}$/,
    );
    assert.match(
      await password({ PasswordLength: 5, ExcludeUppercase: true, ExcludeLowercase: true, ExcludePunctuation: true }),
      /^\d{5}$/,
    );
    assert.match(await password({ PasswordLength: 5, IncludeSpace: true }), / /);
    const invalid = (pattern: RegExp) => failsWith('InvalidParameterException', pattern);
    await assert.rejects(password({ PasswordLength: 3 }), invalid(/too short/));
    await assert.rejects(password({ ExcludeCharacters: '0123456789' }), invalid(/nothing of a type/));
  });
});
