import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ChangePasswordCommand,
  CreateAccountAliasCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  DeleteAccountAliasCommand,
  DeleteAccountPasswordPolicyCommand,
  DeleteLoginProfileCommand,
  DeleteUserCommand,
  GetAccountPasswordPolicyCommand,
  GetLoginProfileCommand,
  IAMClient,
  ListAccountAliasesCommand,
  UpdateAccountPasswordPolicyCommand,
  UpdateLoginProfileCommand,
} from '@aws-sdk/client-iam';
import { createAccount } from '../harness/accounts.ts';
import { allowing, failsWith, newUser } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('passwords', () => {
  let platform: TestPlatform;
  let iam: IAMClient;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  it('are made, told about without being told, changed and deleted; a user who has one is not deleted', async () => {
    const UserName = 'ann';
    await iam.send(new CreateUserCommand({ UserName }));
    const Password = 'Correct-horse-1';
    const input = { UserName, Password, PasswordResetRequired: true };
    const { LoginProfile } = await iam.send(new CreateLoginProfileCommand(input));
    assert.deepEqual([LoginProfile?.UserName, LoginProfile?.PasswordResetRequired], [UserName, true]);
    await assert.rejects(
      iam.send(new CreateLoginProfileCommand(input)),
      failsWith('EntityAlreadyExistsException', 'Login Profile for user ann already exists.'),
    );
    await iam.send(new UpdateLoginProfileCommand({ UserName, PasswordResetRequired: false }));
    const found = await iam.send(new GetLoginProfileCommand({ UserName }));
    assert.equal(JSON.stringify(found).includes(Password), false);
    assert.equal(found.LoginProfile?.PasswordResetRequired, false);
    await assert.rejects(
      iam.send(new DeleteUserCommand({ UserName })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must delete login profile first.'),
    );
    await iam.send(new DeleteLoginProfileCommand({ UserName }));
    await assert.rejects(
      iam.send(new GetLoginProfileCommand({ UserName })),
      failsWith('NoSuchEntityException', 'Login Profile for User ann cannot be found.'),
    );
    await iam.send(new DeleteUserCommand({ UserName }));
  });

  it('have to be as AWS asks where the account says nothing', async () => {
    const UserName = 'ben';
    await iam.send(new CreateUserCommand({ UserName }));
    for (const Password of ['Short-1', 'onlylowercaseletters', `ROOT@${platform.accountId}.localhost`]) {
      const create = iam.send(new CreateLoginProfileCommand({ UserName, Password }));
      await assert.rejects(create, failsWith('PasswordPolicyViolationException'), Password);
    }
  });

  it('have to be as the account’s policy asks, and not one of the last ones', async () => {
    const UserName = 'cat';
    await assert.rejects(
      iam.send(new GetAccountPasswordPolicyCommand({})),
      failsWith('NoSuchEntityException', `The Password Policy with domain name ${platform.accountId} cannot be found.`),
    );
    await iam.send(
      new UpdateAccountPasswordPolicyCommand({
        MinimumPasswordLength: 12,
        RequireNumbers: true,
        MaxPasswordAge: 90,
        PasswordReusePrevention: 1,
      }),
    );
    const { PasswordPolicy } = await iam.send(new GetAccountPasswordPolicyCommand({}));
    assert.deepEqual(PasswordPolicy, {
      MinimumPasswordLength: 12,
      RequireSymbols: false,
      RequireNumbers: true,
      RequireUppercaseCharacters: false,
      RequireLowercaseCharacters: false,
      AllowUsersToChangePassword: false,
      ExpirePasswords: true,
      MaxPasswordAge: 90,
      PasswordReusePrevention: 1,
    });
    await iam.send(new CreateUserCommand({ UserName }));
    for (const [Password, message] of [
      ['short1', 'Password should have a minimum length of 12'],
      ['withoutnumbers', 'Password should have at least one number (0-9)'],
    ]) {
      await assert.rejects(
        iam.send(new CreateLoginProfileCommand({ UserName, Password })),
        failsWith('PasswordPolicyViolationException', message),
      );
    }
    await iam.send(new CreateLoginProfileCommand({ UserName, Password: 'the first one 1' }));
    await iam.send(new UpdateLoginProfileCommand({ UserName, Password: 'the second one 2' }));
    await assert.rejects(
      iam.send(new UpdateLoginProfileCommand({ UserName, Password: 'the second one 2' })),
      failsWith('PasswordPolicyViolationException', /reuse/),
    );
    await iam.send(new UpdateLoginProfileCommand({ UserName, Password: 'the first one 1' }));
    await iam.send(new DeleteAccountPasswordPolicyCommand({}));
    await assert.rejects(
      iam.send(new DeleteAccountPasswordPolicyCommand({})),
      failsWith('NoSuchEntityException', 'The account policy with name PasswordPolicy cannot be found.'),
    );
  });

  it('are changed by the user who knows the old one, and may', async () => {
    const UserName = 'dan';
    const dan = new IAMClient(await newUser(platform, iam, UserName));
    const first = 'Correct-horse-1';
    const second = 'Correct-horse-2';
    await iam.send(new CreateLoginProfileCommand({ UserName, Password: first, PasswordResetRequired: true }));
    const change = (OldPassword: string, NewPassword: string) =>
      dan.send(new ChangePasswordCommand({ OldPassword, NewPassword }));
    await assert.rejects(change(first, second), failsWith('AccessDenied', /iam:ChangePassword/));
    await iam.send(new UpdateAccountPasswordPolicyCommand({ AllowUsersToChangePassword: true }));
    await assert.rejects(change('wrong', second), failsWith('AccessDenied', 'The old password was incorrect.'));
    const both = await Promise.allSettled([change(first, second), change(first, second)]);
    assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1);
    const { LoginProfile } = await iam.send(new GetLoginProfileCommand({ UserName }));
    assert.equal(LoginProfile?.PasswordResetRequired, false);
    await assert.rejects(change(first, second), failsWith('AccessDenied', 'The old password was incorrect.'));
    await change(second, first);
    dan.destroy();
    await assert.rejects(
      iam.send(new ChangePasswordCommand({ OldPassword: first, NewPassword: second })),
      failsWith('InvalidUserTypeException'),
    );
    await iam.send(new DeleteAccountPasswordPolicyCommand({}));
    const eve = new IAMClient(await newUser(platform, iam, 'eve', allowing('iam:ChangePassword')));
    await assert.rejects(
      eve.send(new ChangePasswordCommand({ OldPassword: first, NewPassword: second })),
      failsWith('NoSuchEntityException'),
    );
    eve.destroy();
  });

  it('of an account have an alias beside them: one for an account, and none twice on an installation', async () => {
    const other = await createAccount(platform);
    const partner = new IAMClient(platform.clientConfig(other));
    await iam.send(new CreateAccountAliasCommand({ AccountAlias: 'films' }));
    await assert.rejects(
      partner.send(new CreateAccountAliasCommand({ AccountAlias: 'films' })),
      failsWith('EntityAlreadyExistsException', 'The account alias films already exists.'),
    );
    await iam.send(new CreateAccountAliasCommand({ AccountAlias: 'our-films' }));
    assert.deepEqual((await iam.send(new ListAccountAliasesCommand({}))).AccountAliases, ['our-films']);
    await partner.send(new CreateAccountAliasCommand({ AccountAlias: 'films' }));
    await assert.rejects(
      iam.send(new DeleteAccountAliasCommand({ AccountAlias: 'films' })),
      failsWith('NoSuchEntityException'),
    );
    await iam.send(new DeleteAccountAliasCommand({ AccountAlias: 'our-films' }));
    assert.deepEqual((await iam.send(new ListAccountAliasesCommand({}))).AccountAliases, []);
    partner.destroy();
  });
});
