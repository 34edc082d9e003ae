import {
  CreateVirtualMFADevice$,
  type CreateVirtualMFADeviceRequest,
  type CreateVirtualMFADeviceResponse,
  DeactivateMFADevice$,
  type DeactivateMFADeviceRequest,
  DeleteVirtualMFADevice$,
  type DeleteVirtualMFADeviceRequest,
  EnableMFADevice$,
  type EnableMFADeviceRequest,
  GetMFADevice$,
  type GetMFADeviceRequest,
  type GetMFADeviceResponse,
  ListMFADevices$,
  type ListMFADevicesRequest,
  type ListMFADevicesResponse,
  ListMFADeviceTags$,
  type ListMFADeviceTagsRequest,
  ListVirtualMFADevices$,
  type ListVirtualMFADevicesRequest,
  type ListVirtualMFADevicesResponse,
  ResyncMFADevice$,
  type ResyncMFADeviceRequest,
  TagMFADevice$,
  type TagMFADeviceRequest,
  UntagMFADevice$,
  type UntagMFADeviceRequest,
} from '@aws-sdk/client-iam';
import { rootArn } from '../domain/identifiers.ts';
import { type AccessRequest, type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { type CodeVerdict, mfaSerial, sealSeed, takeCode } from '../domain/mfa-devices.ts';
import { cutPage, pageOf } from '../domain/page.ts';
import { qrCodePng } from '../domain/qr-code.ts';
import { tagList, tagMap } from '../domain/tags.ts';
import { SEED_LENGTH, toBase32 } from '../domain/totp.ts';
import {
  alreadyExists,
  deleteConflict,
  invalidAuthenticationCode,
  noSuchEntity,
  quotaExceeded,
  validation,
} from '../errors.ts';
import type { MfaDeviceRecord } from '../records/mfa-devices.ts';
import type { IamQueries } from '../store.ts';
import { putTags, userOutput } from './principals.ts';
import { listTagsOperation, type Taggable, tagOperation, untagOperation } from './tags.ts';
import { accessToPrincipal, callerAccount, creationTime, getPrincipal, required, tagContext } from './targets.ts';

const MAX_DEVICES_OF_USER = 8;
const MAX_DEVICES_OF_ACCOUNT = 5000;

interface AccessFacts {
  readonly context?: ConditionContext;
  readonly requestTags?: Readonly<Record<string, string>>;
}

function findDevice(queries: IamQueries, call: Call, serial: string): Promise<MfaDeviceRecord | undefined> {
  return queries
    .selectFrom('iam_mfa_device')
    .selectAll()
    .where('serial', '=', serial)
    .where('account', '=', callerAccount(call))
    .executeTakeFirst();
}

async function getDevice(queries: IamQueries, call: Call, serial: string | undefined): Promise<MfaDeviceRecord> {
  const given = required(serial, 'SerialNumber');
  const found = await findDevice(queries, call, given);
  if (found === undefined) throw noSuchEntity(`VirtualMFADevice with serial number ${given} doesn't exist.`);
  return found;
}

/** The question about a device by its ARN. */
async function accessToDevice(
  action: string,
  serial: string | undefined,
  call: Call,
  iam: IamContext,
  facts: AccessFacts = {},
): Promise<AccessRequest[]> {
  const resource = required(serial, 'SerialNumber');
  const found = await findDevice(iam.store.read, call, resource);
  if (found === undefined) return [{ action, resource, ...facts }];
  const tags = await iam.store.tagsOf(found.serial);
  return [{ action, resource, ...facts, context: { ...tagContext(tags), ...facts.context }, resourceTags: tags }];
}

/** The user that is named, or the caller; `undefined` for the root user itself, which calls itself by its account's id. */
function userNameOf(userName: string | undefined, call: Call): string | undefined {
  if (call.caller.type === 'root' && userName === call.caller.accountId) return undefined;
  if (userName !== undefined || call.caller.type === 'root') return userName;
  if (call.caller.type === 'user') return call.caller.userName;
  throw validation('Must specify userName when calling with non-User credentials');
}

async function accessToOwner(
  action: string,
  userName: string | undefined,
  call: Call,
  iam: IamContext,
): Promise<AccessRequest[]> {
  const name = userNameOf(userName, call);
  if (name !== undefined) return accessToPrincipal(action, 'user', name, call, iam);
  return [{ action, resource: rootArn(callerAccount(call)) }];
}

const createVirtualMfaDevice = operation<IamContext, CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse>(
  CreateVirtualMFADevice$,
  {
    authorize(input, call) {
      const name = required(input.VirtualMFADeviceName, 'VirtualMFADeviceName');
      const resource = mfaSerial({ account: callerAccount(call), path: input.Path ?? '/', name });
      const requestTags = tagMap(input.Tags);
      const create = { action: 'iam:CreateVirtualMFADevice', resource, requestTags };
      return input.Tags?.length ? [create, { action: 'iam:TagMFADevice', resource, requestTags }] : [create];
    },
    async handle(input, call, iam) {
      const account = callerAccount(call);
      const tags = tagMap(input.Tags);
      const name = required(input.VirtualMFADeviceName, 'VirtualMFADeviceName');
      const path = input.Path ?? '/';
      const serial = mfaSerial({ account, path, name });
      const seed = iam.randomness.bytes(SEED_LENGTH);
      const base32 = toBase32(seed);
      const record: MfaDeviceRecord = {
        serial,
        account,
        name,
        path,
        sealed: sealSeed(seed, serial, iam.rootKey),
        user_id: null,
        enabled_at: null,
        drift: 0,
        last_step: 0,
        failures: 0,
        failures_since: 0,
        created_at: creationTime(call),
      };
      seed.fill(0);
      await iam.store.write(async (transaction) => {
        if ((await findDevice(transaction, call, serial)) !== undefined) {
          throw alreadyExists('MFADevice entity at the same path and name already exists.');
        }
        const { count } = await transaction
          .selectFrom('iam_mfa_device')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('account', '=', account)
          .executeTakeFirstOrThrow();
        if (count >= MAX_DEVICES_OF_ACCOUNT) throw quotaExceeded('MFADevicesPerAccount', MAX_DEVICES_OF_ACCOUNT);
        await transaction.insertInto('iam_mfa_device').values(record).execute();
        await putTags(transaction, account, serial, tags);
      });
      const label = `Coffer:${name}@${account}`;
      const address = `otpauth://totp/${encodeURIComponent(label)}?secret=${base32}&issuer=Coffer`;
      return {
        VirtualMFADevice: {
          SerialNumber: serial,
          Base32StringSeed: Buffer.from(base32),
          QRCodePNG: qrCodePng(address),
          ...(Object.keys(tags).length > 0 && { Tags: tagList(tags) }),
        },
      };
    },
  },
);

/** What a wrong code is answered with. It is thrown after the transaction, which keeps that it was wrong. */
function checkVerdict(verdict: CodeVerdict): void {
  if (verdict === 'right') return;
  throw invalidAuthenticationCode(
    verdict === 'locked'
      ? 'Too many wrong authentication codes were given. Wait five minutes and try again.'
      : 'Authentication code for device is not valid.',
  );
}

const enableMfaDevice = operation<IamContext, EnableMFADeviceRequest, object>(EnableMFADevice$, {
  secretMembers: ['AuthenticationCode1', 'AuthenticationCode2'],
  authorize: (input, call, iam) => accessToOwner('iam:EnableMFADevice', input.UserName, call, iam),
  async handle(input, call, iam) {
    const codes = [input.AuthenticationCode1 ?? '', input.AuthenticationCode2 ?? ''];
    const verdict = await iam.store.write(async (transaction) => {
      const name = userNameOf(input.UserName, call);
      const user = name === undefined ? null : await getPrincipal(transaction, callerAccount(call), 'user', name);
      const device = await getDevice(transaction, call, input.SerialNumber);
      if (device.enabled_at !== null) throw alreadyExists('MFA Device is already in use.');
      const others = await devicesOf(transaction, call, user).select('serial').execute();
      if (others.length >= MAX_DEVICES_OF_USER) throw quotaExceeded('MfaDevicesPerUser', MAX_DEVICES_OF_USER);
      const taken = await takeCode(transaction, device, codes, call.now, iam.rootKey);
      if (taken !== 'right') return taken;
      await transaction
        .updateTable('iam_mfa_device')
        .set({ user_id: user?.id ?? null, enabled_at: creationTime(call) })
        .where('serial', '=', device.serial)
        .execute();
      return taken;
    });
    checkVerdict(verdict);
    return {};
  },
});

/** The devices of a user of the caller's account, or of its root user. */
function devicesOf(queries: IamQueries, call: Call, user: { readonly id: string } | null) {
  const devices = queries
    .selectFrom('iam_mfa_device')
    .where('account', '=', callerAccount(call))
    .where('enabled_at', 'is not', null);
  return user === null ? devices.where('user_id', 'is', null) : devices.where('user_id', '=', user.id);
}

/** A device of the user that is named. */
async function getDeviceOf(
  transaction: IamQueries,
  input: { readonly UserName?: string | undefined; readonly SerialNumber: string | undefined },
  call: Call,
): Promise<MfaDeviceRecord> {
  const name = userNameOf(input.UserName, call);
  const serial = required(input.SerialNumber, 'SerialNumber');
  const device = await findDevice(transaction, call, serial);
  const user = name === undefined ? null : await getPrincipal(transaction, callerAccount(call), 'user', name);
  if (device === undefined || device.enabled_at === null || device.user_id !== (user?.id ?? null)) {
    throw noSuchEntity(`MFA Device with serial number ${serial} is not associated with the user.`);
  }
  return device;
}

const resyncMfaDevice = operation<IamContext, ResyncMFADeviceRequest, object>(ResyncMFADevice$, {
  secretMembers: ['AuthenticationCode1', 'AuthenticationCode2'],
  authorize: (input, call, iam) => accessToOwner('iam:ResyncMFADevice', input.UserName, call, iam),
  async handle(input, call, iam) {
    const codes = [input.AuthenticationCode1 ?? '', input.AuthenticationCode2 ?? ''];
    const verdict = await iam.store.write(async (transaction) => {
      const device = await getDeviceOf(transaction, input, call);
      return await takeCode(transaction, device, codes, call.now, iam.rootKey);
    });
    checkVerdict(verdict);
    return {};
  },
});

const deactivateMfaDevice = operation<IamContext, DeactivateMFADeviceRequest, object>(DeactivateMFADevice$, {
  authorize: (input, call, iam) => accessToOwner('iam:DeactivateMFADevice', input.UserName, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const device = await getDeviceOf(transaction, input, call);
      await transaction
        .updateTable('iam_mfa_device')
        .set({ user_id: null, enabled_at: null })
        .where('serial', '=', device.serial)
        .execute();
    });
    return {};
  },
});

const deleteVirtualMfaDevice = operation<IamContext, DeleteVirtualMFADeviceRequest, object>(DeleteVirtualMFADevice$, {
  authorize: (input, call, iam) => accessToDevice('iam:DeleteVirtualMFADevice', input.SerialNumber, call, iam),
  async handle(input, call, iam) {
    await iam.store.write(async (transaction) => {
      const device = await getDevice(transaction, call, input.SerialNumber);
      if (device.enabled_at !== null) throw deleteConflict('MFA VirtualDevice in use. Must deactivate first.');
      await transaction.deleteFrom('iam_tag').where('owner_id', '=', device.serial).execute();
      await transaction.deleteFrom('iam_mfa_device').where('serial', '=', device.serial).execute();
    });
    return {};
  },
});

const getMfaDevice = operation<IamContext, GetMFADeviceRequest, GetMFADeviceResponse>(GetMFADevice$, {
  authorize: (input, call, iam) => accessToOwner('iam:GetMFADevice', input.UserName, call, iam),
  async handle(input, call, iam) {
    const device = await getDeviceOf(iam.store.read, input, call);
    const user = await iam.store.findPrincipalById(device.user_id ?? '');
    return {
      ...(user && { UserName: user.name }),
      SerialNumber: device.serial,
      ...(device.enabled_at !== null && { EnableDate: new Date(device.enabled_at) }),
    };
  },
});

const listMfaDevices = operation<IamContext, ListMFADevicesRequest, ListMFADevicesResponse>(ListMFADevices$, {
  authorize: (input, call, iam) => accessToOwner('iam:ListMFADevices', input.UserName, call, iam),
  async handle(input, call, iam) {
    const page = pageOf(input);
    const name = userNameOf(input.UserName, call);
    const user = name === undefined ? null : await getPrincipal(iam.store.read, callerAccount(call), 'user', name);
    const rows = await devicesOf(iam.store.read, call, user)
      .selectAll()
      .where('serial', '>', page.after)
      .orderBy('serial')
      .limit(page.limit + 1)
      .execute();
    const { items, ...rest } = cutPage(rows, page, (row) => row.serial);
    const MFADevices = items.map((row) => ({
      UserName: user?.name ?? callerAccount(call),
      SerialNumber: row.serial,
      EnableDate: new Date(row.enabled_at ?? row.created_at),
    }));
    return { MFADevices, ...rest };
  },
});

const listVirtualMfaDevices = operation<IamContext, ListVirtualMFADevicesRequest, ListVirtualMFADevicesResponse>(
  ListVirtualMFADevices$,
  {
    authorize: () => [{ action: 'iam:ListVirtualMFADevices', resource: '*' }],
    async handle(input, call, iam) {
      const page = pageOf(input);
      let query = iam.store.read
        .selectFrom('iam_mfa_device')
        .selectAll()
        .where('account', '=', callerAccount(call))
        .where('serial', '>', page.after);
      if (input.AssignmentStatus === 'Assigned') query = query.where('enabled_at', 'is not', null);
      if (input.AssignmentStatus === 'Unassigned') query = query.where('enabled_at', 'is', null);
      const rows = await query
        .orderBy('serial')
        .limit(page.limit + 1)
        .execute();
      const { items, ...rest } = cutPage(rows, page, (row) => row.serial);
      const VirtualMFADevices = [];
      for (const row of items) {
        const user = row.user_id === null ? undefined : await iam.store.findPrincipalById(row.user_id);
        VirtualMFADevices.push({
          SerialNumber: row.serial,
          ...(user && { User: userOutput(user) }),
          ...(row.enabled_at !== null && { EnableDate: new Date(row.enabled_at) }),
        });
      }
      return { VirtualMFADevices, ...rest };
    },
  },
);

const deviceTags: Taggable<{ readonly SerialNumber: string | undefined }> = {
  access: (action, input, call, iam, facts) => accessToDevice(action, input.SerialNumber, call, iam, facts),
  idOf: async (queries, input, call) => (await getDevice(queries, call, input.SerialNumber)).serial,
};

export const mfaDeviceOperations = [
  createVirtualMfaDevice,
  enableMfaDevice,
  resyncMfaDevice,
  deactivateMfaDevice,
  deleteVirtualMfaDevice,
  getMfaDevice,
  listMfaDevices,
  listVirtualMfaDevices,
  tagOperation<TagMFADeviceRequest>(TagMFADevice$, deviceTags),
  untagOperation<UntagMFADeviceRequest>(UntagMFADevice$, deviceTags),
  listTagsOperation<ListMFADeviceTagsRequest>(ListMFADeviceTags$, deviceTags),
];
