import type { SetSourceRequest, UpdateFlowSourceRequest } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';
import { checkEncryption, type KeyScope } from './encryption-rules.ts';
import type { SourceSettings } from './flow-document.ts';
import {
  type CarriedProtocol,
  checkListeningPort,
  checkPeerPort,
  checkProtocol,
  isRtpFamily,
  isZixi,
  keyTypeOf,
} from './protocols.ts';
import { checkCidr, checkHost, checkRange, checkStreamId, checkText } from './value-rules.ts';

type Member = keyof SourceSettings;

const ANY: readonly Member[] = ['Protocol', 'Description', 'VpcInterfaceName', 'MaxBitrate'];
const LISTENER: readonly Member[] = [...ANY, 'IngestPort', 'WhitelistCidr'];
/** What a source of each protocol can have. The rest is refused by name. */
const MEMBERS: Readonly<Record<CarriedProtocol, readonly Member[]>> = {
  udp: LISTENER,
  rtp: LISTENER,
  'rtp-fec': LISTENER,
  rist: [...LISTENER, 'MaxLatency'],
  'srt-listener': [...LISTENER, 'MinLatency', 'Decryption'],
  'srt-caller': [...ANY, 'SourceListenerAddress', 'SourceListenerPort', 'MinLatency', 'StreamId', 'Decryption'],
  'zixi-push': [...LISTENER, 'MaxLatency', 'StreamId', 'Decryption'],
  'zixi-pull': [],
};
const ENTITLED: readonly Member[] = ['EntitlementArn', 'Description', 'Decryption'];

export const MAX_DESCRIPTION = 1024;
const MAX_BITRATE = 10_000_000_000;

/** What a source's settings are checked against. */
export interface SourcePlace extends KeyScope {
  /** Such as `Source camera`. */
  readonly what: string;
  /** The names of the flow's VPC interfaces. */
  readonly vpcInterfaces: readonly string[];
}

/** Members that no source of this installation can have. @throws ServiceError BadRequestException */
export function refuseUnknownSourceMembers(given: SetSourceRequest | UpdateFlowSourceRequest, what: string): void {
  const refused: readonly (readonly [boolean, string, string])[] = [
    [given.GatewayBridgeSource !== undefined, 'GatewayBridgeSource', 'there are no bridges.'],
    [given.NdiSourceSettings !== undefined, 'NdiSourceSettings', 'flows carry no NDI.'],
    [given.RouterIntegrationState === 'ENABLED', 'RouterIntegrationState ENABLED', 'there are no routers.'],
    [
      given.RouterIntegrationTransitDecryption !== undefined,
      'RouterIntegrationTransitDecryption',
      'there are no routers.',
    ],
    [
      isFilled(given.MediaStreamSourceConfigurations),
      'MediaStreamSourceConfigurations',
      'they are of CDI and JPEG XS.',
    ],
    [given.MaxSyncBuffer !== undefined, 'MaxSyncBuffer', 'it is of CDI and JPEG XS.'],
    [given.SenderControlPort !== undefined, 'SenderControlPort', 'it is of Fujitsu-QoS.'],
    [given.SenderIpAddress !== undefined, 'SenderIpAddress', 'it is of Fujitsu-QoS.'],
  ];
  for (const [isGiven, member, reason] of refused) if (isGiven) throw notCarriedOut(`${what}: ${member}`, reason);
}

/**
 * Checks a source's settings as a whole, and fills in what AWS assumes.
 *
 * @returns the settings; the port of a Zixi source may be missing still
 * @throws ServiceError BadRequestException
 */
export function checkSource(given: SourceSettings, place: SourcePlace): SourceSettings {
  const { what } = place;
  checkText(given.Description, MAX_DESCRIPTION, `${what}: Description`);
  if (given.EntitlementArn !== undefined) return checkEntitled(given, place);
  const protocol = checkProtocol(given.Protocol, what);
  if (protocol === 'zixi-pull') throw badRequest(`${what}: zixi-pull is for outputs. A source takes zixi-push.`);
  refuseOthers(given, MEMBERS[protocol], what, `the protocol ${protocol}`);
  checkVpcInterface(given.VpcInterfaceName, place.vpcInterfaces, `${what}: VpcInterfaceName`);
  checkRange(given.MaxBitrate, 1, MAX_BITRATE, `${what}: MaxBitrate`);
  checkLatencies(given, protocol, what);
  if (protocol === 'srt-caller') checkDialled(given, what);
  else checkListener(given, protocol, what);
  return {
    ...given,
    ...(isZixi(protocol) || protocol === 'rist' ? { MaxLatency: given.MaxLatency ?? defaultMaxLatency(protocol) } : {}),
    ...(protocol.startsWith('srt-') && { MinLatency: given.MinLatency ?? DEFAULT_MIN_LATENCY }),
    ...(given.Decryption !== undefined && {
      Decryption: checkEncryption(given.Decryption, keyTypeOf(protocol), place, `${what}: Decryption`),
    }),
  };
}

function checkEntitled(given: SourceSettings, place: SourcePlace): SourceSettings {
  refuseOthers(given, ENTITLED, place.what, 'an entitlement');
  if (given.Decryption === undefined) return given;
  return { ...given, Decryption: checkEncryption(given.Decryption, 'static-key', place, `${place.what}: Decryption`) };
}

function checkListener(given: SourceSettings, protocol: CarriedProtocol, what: string): void {
  if (given.WhitelistCidr === undefined) {
    throw badRequest(
      `${what}: WhitelistCidr is required: nobody may send who is not named (security groups of VPC interfaces are not ` +
        'asked here). 0.0.0.0/0 lets everybody send.',
    );
  }
  checkCidr(given.WhitelistCidr, `${what}: WhitelistCidr`);
  if (given.IngestPort === undefined) {
    // The port of a Zixi source is chosen for it.
    if (isZixi(protocol)) return checkStreamId(given.StreamId, `${what}: StreamId`);
    throw badRequest(`${what}: IngestPort is required.`);
  }
  checkListeningPort(protocol, given.IngestPort, `${what}: IngestPort`);
  checkStreamId(given.StreamId, `${what}: StreamId`);
}

function checkDialled(given: SourceSettings, what: string): void {
  const { SourceListenerAddress, SourceListenerPort } = given;
  if (SourceListenerAddress === undefined) throw badRequest(`${what}: SourceListenerAddress is required.`);
  if (SourceListenerPort === undefined) throw badRequest(`${what}: SourceListenerPort is required.`);
  checkHost(SourceListenerAddress, `${what}: SourceListenerAddress`);
  checkPeerPort('srt-caller', SourceListenerPort, `${what}: SourceListenerPort`);
  checkStreamId(given.StreamId, `${what}: StreamId`);
}

export const DEFAULT_MIN_LATENCY = 2000;

export function defaultMaxLatency(protocol: CarriedProtocol): number {
  return isZixi(protocol) ? 6000 : 2000;
}

/** Milliseconds, as AWS bounds them. @throws ServiceError BadRequestException */
export function checkLatencies(
  given: {
    readonly MinLatency?: number | undefined;
    readonly MaxLatency?: number | undefined;
    readonly SmoothingLatency?: number | undefined;
  },
  protocol: CarriedProtocol,
  what: string,
): void {
  checkRange(given.MinLatency, 100, 15_000, `${what}: MinLatency`);
  if (isZixi(protocol)) checkRange(given.MaxLatency, 0, 60_000, `${what}: MaxLatency`);
  else checkRange(given.MaxLatency, 1, 15_000, `${what}: MaxLatency`);
  const smoothing = given.SmoothingLatency ?? 0;
  if (smoothing !== 0) checkRange(smoothing, 100, 1000, `${what}: SmoothingLatency (unless it is 0)`);
}

/** @throws ServiceError BadRequestException */
export function checkVpcInterface(name: string | undefined, known: readonly string[], where: string): void {
  if (name !== undefined && !known.includes(name)) throw badRequest(`${where}: the flow has no VPC interface ${name}.`);
}

/** @throws ServiceError BadRequestException naming the first member that is not allowed */
export function refuseOthers(given: object, allowed: readonly string[], what: string, whom: string): void {
  for (const [member, value] of Object.entries(given)) {
    if (value !== undefined && !allowed.includes(member)) {
      throw badRequest(`${what}: ${member} is not valid for ${whom}.`);
    }
  }
}

/**
 * Puts an update over the settings that are there. When the protocol changes, what the new one does not have is gone;
 * but for decryption, so that nothing that was encrypted becomes plain by the way.
 */
export function mergedSource(before: SourceSettings, update: SourceSettings): SourceSettings {
  const { Decryption, ...rest } = update;
  const given: SourceSettings = {
    ...withoutAbsent(rest),
    ...(Decryption !== undefined && { Decryption: { ...before.Decryption, ...withoutAbsent(Decryption) } as never }),
  };
  const isOther = update.Protocol !== undefined && update.Protocol !== before.Protocol;
  const allowed: readonly string[] = isOther
    ? [...(MEMBERS[update.Protocol as CarriedProtocol] ?? []), 'Decryption', 'EntitlementArn']
    : Object.keys(before);
  const kept = Object.fromEntries(Object.entries(before).filter(([member]) => allowed.includes(member)));
  return { ...kept, ...given };
}

export function withoutAbsent<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}

export function isFilled(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}

/** The two sources of a flow with failover. @throws ServiceError BadRequestException */
export function checkMerge(protocol: CarriedProtocol): void {
  if (!isRtpFamily(protocol)) {
    throw badRequest(`FailoverMode MERGE needs sources of the protocol rtp, rtp-fec or rist, not ${protocol}.`);
  }
}
