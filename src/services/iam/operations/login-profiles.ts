import {
  ChangePassword$,
  type ChangePasswordRequest,
  CreateLoginProfile$,
  type CreateLoginProfileRequest,
  type CreateLoginProfileResponse,
  DeleteLoginProfile$,
  type DeleteLoginProfileRequest,
  GetLoginProfile$,
  type GetLoginProfileRequest,
  type GetLoginProfileResponse,
  UpdateLoginProfile$,
  type UpdateLoginProfileRequest,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import {
  isPassword,
  isReused,
  openHashes,
  type PasswordHashes,
  sealHashes,
  withPassword,
} from '../domain/passwords.ts';
import { passwordProblem } from '../domain/password-policy.ts';
import {
  accessDenied,
  alreadyExists,
  concurrentModification,
  invalidUserType,
  noSuchEntity,
  passwordPolicyViolation,
  validation,
} from '../errors.ts';
import type { LoginProfileRecord } from '../records/passwords.ts';
import type { IamQueries, PrincipalRecord } from '../store.ts';
import { findPasswordPolicy } from './password-policies.ts';
import { accessToPrincipal, callerAccount, creationTime, getPrincipal, required } from './targets.ts';

/** The user that is named, or the caller. */
function targetName(userName: string | undefined, call: Call): string {
  if (userName !== undefined) return userName;
  if (call.caller.type === 'user') return call.caller.userName;
  // AWS keeps the root user's profile for sessions of sts:AssumeRoot, which belongs to organisations.
  throw validation('Must specify userName when calling with non-User credentials');
}

function access(action: string, userName: string | undefined, call: Call, iam: IamContext) {
  return accessToPrincipal(`iam:${action}`, 'user', targetName(userName, call), call, iam);
}

function findProfile(queries: IamQueries, user: PrincipalRecord): Promise<LoginProfileRecord | undefined> {
  return queries.selectFrom('iam_login_profile').selectAll().where('user_id', '=', user.id).executeTakeFirst();
}

/** @throws ServiceError NoSuchEntity */
async function getProfile(queries: IamQueries, user: PrincipalRecord): Promise<LoginProfileRecord> {
  const found = await findProfile(queries, user);
  if (found === undefined) throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
  return found;
}

/** @throws ServiceError PasswordPolicyViolation */
async function hashPassword(
  password: string,
  earlier: PasswordHashes | undefined,
  call: Call,
  iam: IamContext,
): Promise<PasswordHashes> {
  const account = callerAccount(call);
  const policy = await findPasswordPolicy(iam.store.read, account);
  const alias = await iam.store.read
    .selectFrom('iam_account_alias')
    .select('alias')
    .where('account', '=', account)
    .executeTakeFirst();
  const names = [alias?.alias, (await iam.store.findAccount(account))?.email].filter((name) => name !== undefined);
  const problem = passwordProblem(password, policy, names);
  if (problem !== undefined) throw passwordPolicyViolation(problem);
  const hashes = await withPassword(password, earlier);
  if (isReused(hashes, policy?.reuse_prevention ?? 0)) {
    throw passwordPolicyViolation('Policy constraint violation with password reuse prevention during password change');
  }
  return hashes;
}

function profileOutput(user: PrincipalRecord, profile: Pick<LoginProfileRecord, 'created_at' | 'reset_required'>) {
  return {
    UserName: user.name,
    CreateDate: new Date(profile.created_at),
    PasswordResetRequired: profile.reset_required === 1,
  };
}

const createLoginProfile = operation<IamContext, CreateLoginProfileRequest, CreateLoginProfileResponse>(
  CreateLoginProfile$,
  {
    authorize: (input, call, iam) => access('CreateLoginProfile', input.UserName, call, iam),
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const name = targetName(input.UserName, call);
      const password = required(input.Password, 'Password');
      // What takes long is done before the transaction; who there is then is looked up in it again.
      const taken = async (queries: IamQueries) => {
        const user = await getPrincipal(queries, account, 'user', name);
        if ((await findProfile(queries, user)) !== undefined) {
          throw alreadyExists(`Login Profile for user ${user.name} already exists.`);
        }
        return user;
      };
      await taken(iam.store.read);
      const hashes = await hashPassword(password, undefined, call, iam);
      const now = creationTime(call);
      return iam.store.write(async (transaction) => {
        const user = await taken(transaction);
        const profile = {
          user_id: user.id,
          account,
          sealed: sealHashes(hashes, user.id, iam.rootKey),
          reset_required: input.PasswordResetRequired === true ? 1 : 0,
          created_at: now,
          changed_at: now,
        };
        await transaction.insertInto('iam_login_profile').values(profile).execute();
        return { LoginProfile: profileOutput(user, profile) };
      });
    },
  },
);

const getLoginProfile = operation<IamContext, GetLoginProfileRequest, GetLoginProfileResponse>(GetLoginProfile$, {
  authorize: (input, call, iam) => access('GetLoginProfile', input.UserName, call, iam),
  async handle(input, call, iam) {
    const user = await getPrincipal(iam.store.read, callerAccount(call), 'user', targetName(input.UserName, call));
    return { LoginProfile: profileOutput(user, await getProfile(iam.store.read, user)) };
  },
});

const updateLoginProfile = operation<IamContext, UpdateLoginProfileRequest, object>(UpdateLoginProfile$, {
  authorize: (input, call, iam) => access('UpdateLoginProfile', input.UserName, call, iam),
  async handle(input, call, iam) {
    const user = await getPrincipal(iam.store.read, callerAccount(call), 'user', targetName(input.UserName, call));
    const profile = await getProfile(iam.store.read, user);
    const reset =
      input.PasswordResetRequired === undefined ? {} : { reset_required: input.PasswordResetRequired ? 1 : 0 };
    if (input.Password === undefined) {
      await replace(profile, user, reset, iam);
      return {};
    }
    const earlier = openHashes(profile.sealed, user.id, iam.rootKey);
    const hashes = await hashPassword(input.Password, earlier, call, iam);
    const sealed = sealHashes(hashes, user.id, iam.rootKey);
    await replace(profile, user, { sealed, changed_at: creationTime(call), ...reset }, iam);
    return {};
  },
});

/** @throws ServiceError ConcurrentModification when the password is not the one any more that was looked at */
async function replace(
  seen: LoginProfileRecord,
  user: PrincipalRecord,
  changes: Partial<Pick<LoginProfileRecord, 'sealed' | 'changed_at' | 'reset_required'>>,
  iam: IamContext,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  await iam.store.write(async (transaction) => {
    const now = await getProfile(transaction, user);
    if (!Buffer.from(now.sealed).equals(seen.sealed)) {
      throw concurrentModification('The password was changed by another request at the same time.');
    }
    await transaction.updateTable('iam_login_profile').set(changes).where('user_id', '=', user.id).execute();
  });
}

const deleteLoginProfile = operation<IamContext, DeleteLoginProfileRequest, object>(DeleteLoginProfile$, {
  authorize: (input, call, iam) => access('DeleteLoginProfile', input.UserName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const name = targetName(input.UserName, call);
      const user = await getPrincipal(transaction, callerAccount(call), 'user', name);
      await getProfile(transaction, user);
      await transaction.deleteFrom('iam_login_profile').where('user_id', '=', user.id).execute();
    });
    return {};
  },
});

/** The caller's own; whoever sets another's uses UpdateLoginProfile. */
const changePassword = operation<IamContext, ChangePasswordRequest, object>(ChangePassword$, {
  async authorize(_input, call, iam) {
    const { caller } = call;
    const action = 'iam:ChangePassword';
    if (caller.type !== 'user') {
      const resource = 'arn' in caller ? caller.arn : '*';
      return [{ action, resource }];
    }
    const requests = await accessToPrincipal(action, 'user', caller.userName, call, iam);
    const policy = await findPasswordPolicy(iam.store.read, caller.accountId);
    if (policy?.users_may_change !== 1) return requests;
    // The account lets its users do it, whatever their own policies are silent about.
    const statement = { Effect: 'Allow', Principal: { AWS: caller.arn }, Action: action, Resource: '*' };
    const document = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    const resourcePolicy = { document, isRequired: false, kind: 'resource-based' } as const;
    return requests.map((request) => ({ ...request, resourcePolicy }));
  },
  async handle(input, call, iam) {
    const { caller } = call;
    if (caller.type !== 'user') throw invalidUserType('Only IAM Users can change their own password.');
    const user = await getPrincipal(iam.store.read, caller.accountId, 'user', caller.userName);
    const profile = await getProfile(iam.store.read, user);
    const earlier = openHashes(profile.sealed, user.id, iam.rootKey);
    if (!(await isPassword(required(input.OldPassword, 'OldPassword'), earlier))) {
      throw accessDenied('The old password was incorrect.');
    }
    const hashes = await hashPassword(required(input.NewPassword, 'NewPassword'), earlier, call, iam);
    const sealed = sealHashes(hashes, user.id, iam.rootKey);
    await replace(profile, user, { sealed, changed_at: creationTime(call), reset_required: 0 }, iam);
    return {};
  },
});

export const loginProfileOperations = [
  createLoginProfile,
  getLoginProfile,
  updateLoginProfile,
  deleteLoginProfile,
  changePassword,
];
