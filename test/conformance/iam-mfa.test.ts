import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import {
  CreateVirtualMFADeviceCommand,
  DeactivateMFADeviceCommand,
  DeleteUserCommand,
  DeleteVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  GetMFADeviceCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListMFADevicesCommand,
  ListMFADeviceTagsCommand,
  ListUsersCommand,
  ListVirtualMFADevicesCommand,
  CreateUserCommand,
  ResyncMFADeviceCommand,
  TagMFADeviceCommand,
  UntagMFADeviceCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { totpCode } from '#services/iam/domain/totp.ts';
import { allowing, failsWith, type Keys, keysOf, makeRole, makeUser, policyOf } from '../harness/iam-people.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** As an authenticator app reads it. */
function fromBase32(text: string): Buffer {
  const bits = text
    .split('')
    .map((character) => BASE32.indexOf(character).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** An authenticator app that can tell the codes of other steps too. */
class Authenticator {
  readonly serial: string;
  readonly #seed: Buffer;

  constructor(serial: string, base32: string) {
    this.serial = serial;
    this.#seed = fromBase32(base32);
  }

  code(steps = 0): string {
    return totpCode(this.#seed, Math.floor(Date.now() / 30_000) + steps);
  }
}

describe('virtual MFA devices', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let aliceKeys: Keys;
  let alice: STSClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    const needsMfa = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
    aliceKeys = await makeUser(
      iam,
      'alice',
      policyOf(
        { Effect: 'Allow', Action: 'sts:*', Resource: '*' },
        { Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*', Condition: needsMfa },
        {
          Effect: 'Allow',
          Action: 'iam:ListAccessKeys',
          Resource: '*',
          Condition: { NumericLessThan: { 'aws:MultiFactorAuthAge': '300' } },
        },
      ),
    );
    alice = new STSClient(platform.clientConfig(aliceKeys));
  });
  after(async () => {
    iam.destroy();
    alice.destroy();
    await platform.stop();
  });

  async function create(VirtualMFADeviceName: string, facts: object = {}): Promise<Authenticator> {
    const { VirtualMFADevice } = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName, ...facts }));
    const seed = Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString();
    return new Authenticator(VirtualMFADevice?.SerialNumber ?? '', seed);
  }

  const enable = (UserName: string, device: Authenticator, first = -2) =>
    iam.send(
      new EnableMFADeviceCommand({
        UserName,
        SerialNumber: device.serial,
        AuthenticationCode1: device.code(first),
        AuthenticationCode2: device.code(first + 1),
      }),
    );

  it('are made with a seed in Base32 and a QR code of it', async () => {
    const { VirtualMFADevice: device } = await iam.send(
      new CreateVirtualMFADeviceCommand({
        VirtualMFADeviceName: 'phone',
        Path: '/phones/',
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    );
    assert.equal(device?.SerialNumber, `arn:aws:iam::${platform.accountId}:mfa/phones/phone`);
    assert.match(Buffer.from(device.Base32StringSeed ?? []).toString(), /^[A-Z2-7]{64}$/);
    const png = Buffer.from(device.QRCodePNG ?? []);
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    const side = png.readUInt32BE(16);
    const at = png.indexOf('IDAT');
    const pixels = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    assert.equal(pixels.length, side * (1 + Math.ceil(side / 8)));
    await assert.rejects(
      create('phone', { Path: '/phones/' }),
      failsWith('EntityAlreadyExistsException', 'MFADevice entity at the same path and name already exists.'),
    );
    const { Tags } = await iam.send(new ListMFADeviceTagsCommand({ SerialNumber: device.SerialNumber }));
    assert.deepEqual(Tags, [{ Key: 'a', Value: 'b' }]);
    await iam.send(new TagMFADeviceCommand({ SerialNumber: device.SerialNumber, Tags: [{ Key: 'c', Value: 'd' }] }));
    await iam.send(new UntagMFADeviceCommand({ SerialNumber: device.SerialNumber, TagKeys: ['a'] }));
    await iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: device.SerialNumber }));
    await assert.rejects(
      iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: device.SerialNumber })),
      failsWith('NoSuchEntityException', `VirtualMFADevice with serial number ${device.SerialNumber} doesn't exist.`),
    );
  });

  it('are given to a user with two codes that follow each other, told of, and taken away', async () => {
    await iam.send(new CreateUserCommand({ UserName: 'bob' }));
    const device = await create('bob');
    const codes = { UserName: 'bob', SerialNumber: device.serial };
    await assert.rejects(
      iam.send(
        new EnableMFADeviceCommand({
          ...codes,
          AuthenticationCode1: device.code(-2),
          AuthenticationCode2: device.code(),
        }),
      ),
      failsWith('InvalidAuthenticationCodeException', 'Authentication code for device is not valid.'),
    );
    await enable('bob', device);
    const listed = await iam.send(new ListMFADevicesCommand({ UserName: 'bob' }));
    assert.deepEqual(
      listed.MFADevices?.map(({ SerialNumber, UserName }) => [SerialNumber, UserName]),
      [[device.serial, 'bob']],
    );
    const assigned = await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: 'Assigned' }));
    assert.equal(
      assigned.VirtualMFADevices?.find((found) => found.SerialNumber === device.serial)?.User?.UserName,
      'bob',
    );
    const free = await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: 'Unassigned' }));
    assert.ok(!free.VirtualMFADevices?.some((found) => found.SerialNumber === device.serial));
    const got = await iam.send(new GetMFADeviceCommand(codes));
    assert.ok(got.EnableDate instanceof Date);
    await assert.rejects(enable('alice', device), failsWith('EntityAlreadyExistsException'));
    await assert.rejects(
      iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: device.serial })),
      failsWith('DeleteConflictException', 'MFA VirtualDevice in use. Must deactivate first.'),
    );
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName: 'bob' })), failsWith('DeleteConflictException'));
    await assert.rejects(
      iam.send(new DeactivateMFADeviceCommand({ UserName: 'alice', SerialNumber: device.serial })),
      failsWith('NoSuchEntityException'),
    );
    await iam.send(new DeactivateMFADeviceCommand(codes));
    await iam.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: device.serial }));
    await iam.send(new DeleteUserCommand({ UserName: 'bob' }));
  });

  it('make sessions with MFA, by which conditions and IAM let more in', async () => {
    const device = await create('alice');
    await enable('alice', device);
    const plain = await alice.send(new GetSessionTokenCommand({}));
    await assert.rejects(
      new IAMClient(platform.clientConfig(keysOf(plain.Credentials))).send(new ListUsersCommand({})),
      failsWith('InvalidClientTokenId'),
    );
    await assert.rejects(
      new IAMClient(platform.clientConfig(aliceKeys)).send(new ListUsersCommand({})),
      failsWith('AccessDenied'),
    );
    const TokenCode = device.code();
    const input = { SerialNumber: device.serial, TokenCode };
    const { Credentials } = await alice.send(new GetSessionTokenCommand(input));
    const session = new IAMClient(platform.clientConfig(keysOf(Credentials)));
    await session.send(new ListUsersCommand({}));
    await session.send(new ListAccessKeysCommand({}));
    await assert.rejects(
      alice.send(new GetSessionTokenCommand(input)),
      failsWith('AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code. '),
    );
    session.destroy();
  });

  it('open roles that ask for MFA, to their own user alone', async () => {
    const device = await create('alice-2');
    await enable('alice', device);
    const RoleArn = await makeRole(
      iam,
      'Guarded',
      {
        Effect: 'Allow',
        Principal: { AWS: platform.accountId },
        Action: 'sts:AssumeRole',
        Condition: {
          Bool: { 'aws:MultiFactorAuthPresent': 'true' },
          NumericLessThan: { 'aws:MultiFactorAuthAge': '60' },
        },
      },
      allowing('iam:ListUsers'),
    );
    const base = { RoleArn, RoleSessionName: 'session' };
    await assert.rejects(alice.send(new AssumeRoleCommand(base)), failsWith('AccessDenied', /no role trust policy/));
    const eve = new STSClient(platform.clientConfig(await makeUser(iam, 'eve', allowing('sts:*'))));
    const code = { SerialNumber: device.serial, TokenCode: device.code() };
    await assert.rejects(
      eve.send(new AssumeRoleCommand({ ...base, ...code })),
      failsWith('AccessDenied', /unable to validate MFA code. {2}Please verify your MFA serial number is valid/),
    );
    await assert.rejects(
      alice.send(new AssumeRoleCommand({ ...base, SerialNumber: device.serial })),
      failsWith('AccessDenied', /must provide both MFA serial number and one time pass code/),
    );
    const { Credentials } = await alice.send(new AssumeRoleCommand({ ...base, ...code }));
    await new IAMClient(platform.clientConfig(keysOf(Credentials))).send(new ListUsersCommand({}));
    await assert.rejects(
      alice.send(new AssumeRoleCommand({ ...base, ...code })),
      failsWith('AccessDenied', /invalid MFA/),
    );
  });

  it('look at no code any more after five wrong ones, also when it is right', async () => {
    const device = await create('guessed');
    await iam.send(new CreateUserCommand({ UserName: 'guessed' }));
    await enable('guessed', device);
    const wrong = {
      UserName: 'guessed',
      SerialNumber: device.serial,
      AuthenticationCode1: '000000',
      AuthenticationCode2: '000000',
    };
    for (let guess = 0; guess < 5; guess++) {
      await assert.rejects(
        iam.send(new ResyncMFADeviceCommand(wrong)),
        failsWith('InvalidAuthenticationCodeException', /not valid/),
      );
    }
    const right = { ...wrong, AuthenticationCode1: device.code(), AuthenticationCode2: device.code(1) };
    await assert.rejects(
      iam.send(new ResyncMFADeviceCommand(right)),
      failsWith('InvalidAuthenticationCodeException', /Too many/),
    );
  });

  it('whose clock is wrong are taken again after a resync', async () => {
    const device = await create('slow');
    const slow = new STSClient(platform.clientConfig(await makeUser(iam, 'slow')));
    await enable('slow', device, -15);
    const input = (steps: number) => ({ SerialNumber: device.serial, TokenCode: device.code(steps) });
    await assert.rejects(slow.send(new GetSessionTokenCommand(input(0))), failsWith('AccessDenied'));
    await slow.send(new GetSessionTokenCommand(input(-13)));
    const codes = { UserName: 'slow', SerialNumber: device.serial };
    await iam.send(
      new ResyncMFADeviceCommand({
        ...codes,
        AuthenticationCode1: device.code(-2),
        AuthenticationCode2: device.code(-1),
      }),
    );
    await slow.send(new GetSessionTokenCommand(input(0)));
  });
});
