import { USAGE_COLUMNS, type UsageColumn, type UsageRange } from '#services/cloudtrail/domain/usage.ts';
import type { EventSelection } from '#storage/event-log/event-log.ts';
import type { LeastPrivilegeRequest } from './least-privilege.ts';
import { parseRotateRequest, type RotateRequest } from './root-key/rotate-request.ts';

/** What the command line asks of a running server: one JSON line in, JSON lines out, the last one `done` or `error`. */
export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'account-create'; readonly accountId?: string; readonly count: number }
  | { readonly command: 'account-list' }
  | { readonly command: 'account-delete'; readonly accountId: string }
  | { readonly command: 'verify'; readonly bucket?: string }
  | { readonly command: 'rewrap'; readonly bucket: string; readonly key: string }
  | { readonly command: 'root-key-status' }
  | ({ readonly command: 'root-key-rotate' } & RotateRequest)
  | ({ readonly command: 'usage'; readonly by: readonly UsageColumn[] } & UsageRange)
  | { readonly command: 'key-usage'; readonly month: string; readonly account?: string }
  | ({ readonly command: 'events' } & EventSelection)
  | { readonly command: 'explain'; readonly subject: string }
  | ({ readonly command: 'least-privilege' } & LeastPrivilegeRequest)
  | { readonly command: 'mediaconvert-support-bundle'; readonly job: string }
  | {
      readonly command: 'mediaconvert-preflight';
      readonly account: string;
      readonly region: string;
      /** What CreateJob would be called with. */
      readonly request: object;
    };

export type ControlReply =
  /** One line of the command's answer. */
  | { readonly type: 'item'; readonly value: unknown }
  /** How far long work has come. */
  | { readonly type: 'progress'; readonly done: number; readonly total?: number; readonly what: string }
  | { readonly type: 'done' }
  | { readonly type: 'error'; readonly message: string };

/** Where a running server can be asked. Lies in the data folder as `control.json`. */
export interface ControlAddress {
  readonly socket: string;
  readonly pid: number;
}

export const CONTROL_FILE = 'control.json';

/**
 * Reads what came over the control socket.
 *
 * @throws Error when it is no request; the message is for whoever sent it
 */
export function parseControlRequest(value: unknown): ControlRequest {
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { command, accountId, count } = fields;
  switch (command) {
    case 'status':
    case 'account-list':
    case 'root-key-status':
      return { command };
    case 'verify': {
      const { bucket } = fields;
      if (!isTextOrAbsent(bucket)) break;
      return bucket === undefined ? { command } : { command, bucket };
    }
    case 'rewrap': {
      const { bucket, key } = fields;
      if (typeof bucket !== 'string' || typeof key !== 'string') break;
      return { command, bucket, key };
    }
    case 'root-key-rotate': {
      const request = parseRotateRequest(fields);
      if (request === undefined) break;
      return { command, ...request };
    }
    case 'account-create':
      if (typeof count !== 'number' || !(accountId === undefined || typeof accountId === 'string')) break;
      return accountId === undefined ? { command, count } : { command, count, accountId };
    case 'usage':
      return parseUsageRequest(fields);
    case 'key-usage': {
      const { month, account } = fields;
      if (typeof month !== 'string' || !isTextOrAbsent(account)) break;
      return { command, month, ...(account !== undefined && { account }) };
    }
    case 'events':
      return parseEventsRequest(fields);
    case 'explain':
      if (typeof fields['subject'] !== 'string') break;
      return { command, subject: fields['subject'] };
    case 'least-privilege':
      return parseLeastPrivilegeRequest(fields);
    case 'mediaconvert-preflight': {
      const { account, region, request } = fields;
      if (typeof account !== 'string' || typeof region !== 'string') break;
      if (typeof request !== 'object' || request === null) break;
      return { command, account, region, request };
    }
    case 'mediaconvert-support-bundle':
      if (typeof fields['job'] !== 'string') break;
      return { command, job: fields['job'] };
    case 'account-delete':
      if (typeof accountId !== 'string') break;
      return { command, accountId };
  }
  throw unknownCommand();
}

function parseUsageRequest({ from, to, account, by }: Readonly<Record<string, unknown>>): ControlRequest {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || !Array.isArray(by)) throw unknownCommand();
  if (!isTextOrAbsent(account)) throw unknownCommand();
  const columns = USAGE_COLUMNS.filter((column) => by.includes(column));
  if (columns.length !== by.length) throw unknownCommand();
  const range = { from: Number(from), to: Number(to), ...(account !== undefined && { account }) };
  return { command: 'usage', by: columns, ...range };
}

function parseEventsRequest({ after, from, account, source }: Readonly<Record<string, unknown>>): ControlRequest {
  if (!Number.isSafeInteger(after) || !Number.isSafeInteger(from)) throw unknownCommand();
  if (!isTextOrAbsent(account) || !isTextOrAbsent(source)) throw unknownCommand();
  return {
    command: 'events',
    after: Number(after),
    from: Number(from),
    ...(account !== undefined && { account }),
    ...(source !== undefined && { source }),
  };
}

function parseLeastPrivilegeRequest({ principal, from, to }: Readonly<Record<string, unknown>>): ControlRequest {
  if (typeof principal !== 'string' || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) throw unknownCommand();
  return { command: 'least-privilege', principal, from: Number(from), to: Number(to) };
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function unknownCommand(): Error {
  return new Error('This is no command that the server knows. Is the command line of the same version as the server?');
}
