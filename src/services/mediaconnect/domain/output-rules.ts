import type { AddOutputRequest, UpdateFlowOutputRequest } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';
import { checkEncryption, type KeyScope } from './encryption-rules.ts';
import type { OutputSettings } from './flow-document.ts';
import {
  type CarriedProtocol,
  checkListeningPort,
  checkPeerPort,
  checkProtocol,
  isZixi,
  keyTypeOf,
  ZIXI_PUSH_PORT,
} from './protocols.ts';
import {
  checkLatencies,
  checkVpcInterface,
  DEFAULT_MIN_LATENCY,
  defaultMaxLatency,
  isFilled,
  MAX_DESCRIPTION,
  refuseOthers,
  withoutAbsent,
} from './source-rules.ts';
import { checkCidr, checkHost, checkStreamId, checkText } from './value-rules.ts';

type Member = keyof OutputSettings;

const ANY: readonly Member[] = ['Protocol', 'Description', 'VpcInterfaceAttachment', 'OutputStatus', 'Port'];
const DIALLED: readonly Member[] = [...ANY, 'Destination'];
const MEMBERS: Readonly<Record<CarriedProtocol, readonly Member[]>> = {
  udp: [...DIALLED, 'SmoothingLatency'],
  rtp: [...DIALLED, 'SmoothingLatency'],
  'rtp-fec': [...DIALLED, 'SmoothingLatency'],
  rist: [...DIALLED, 'SmoothingLatency', 'MaxLatency'],
  'srt-listener': [...ANY, 'CidrAllowList', 'MinLatency', 'Encryption'],
  'srt-caller': [...DIALLED, 'MinLatency', 'StreamId', 'Encryption'],
  'zixi-push': [...DIALLED, 'MaxLatency', 'StreamId', 'Encryption'],
  'zixi-pull': [...ANY, 'CidrAllowList', 'MaxLatency', 'StreamId', 'RemoteId', 'Encryption'],
};

const MAX_CIDR_BLOCKS = 100;

export interface OutputPlace extends KeyScope {
  /** Such as `Output taker`. */
  readonly what: string;
  readonly vpcInterfaces: readonly string[];
}

/** Members that no output of this installation can have. @throws ServiceError BadRequestException */
export function refuseUnknownOutputMembers(given: AddOutputRequest | UpdateFlowOutputRequest, what: string): void {
  const refused: readonly (readonly [boolean, string, string])[] = [
    [given.RouterIntegrationState === 'ENABLED', 'RouterIntegrationState ENABLED', 'there are no routers.'],
    [
      given.RouterIntegrationTransitEncryption !== undefined,
      'RouterIntegrationTransitEncryption',
      'there are no routers.',
    ],
    [
      isFilled(given.MediaStreamOutputConfigurations),
      'MediaStreamOutputConfigurations',
      'they are of CDI and JPEG XS.',
    ],
    [given.SenderControlPort !== undefined, 'SenderControlPort', 'it is of Fujitsu-QoS.'],
    ['SenderIpAddress' in given && given.SenderIpAddress !== undefined, 'SenderIpAddress', 'it is of Fujitsu-QoS.'],
    [given.NdiProgramName !== undefined, 'NdiProgramName', 'flows carry no NDI.'],
    [given.NdiSpeedHqQuality !== undefined, 'NdiSpeedHqQuality', 'flows carry no NDI.'],
  ];
  for (const [isGiven, member, reason] of refused) if (isGiven) throw notCarriedOut(`${what}: ${member}`, reason);
}

/**
 * Checks an output's settings as a whole, and fills in what AWS assumes.
 *
 * @returns the settings; the port of a zixi-pull output may be missing still
 * @throws ServiceError BadRequestException
 */
export function checkOutput(given: OutputSettings, place: OutputPlace): OutputSettings {
  const { what } = place;
  checkText(given.Description, MAX_DESCRIPTION, `${what}: Description`);
  const protocol = checkProtocol(given.Protocol, what);
  refuseOthers(given, MEMBERS[protocol], what, `the protocol ${protocol}`);
  const attachment = given.VpcInterfaceAttachment?.VpcInterfaceName;
  checkVpcInterface(attachment, place.vpcInterfaces, `${what}: VpcInterfaceAttachment`);
  checkLatencies(given, protocol, what);
  checkStreamId(given.StreamId, `${what}: StreamId`);
  const Port = listens(protocol) ? checkListener(given, protocol, what) : checkDialled(given, protocol, what);
  return {
    ...given,
    ...(Port !== undefined && { Port }),
    OutputStatus: given.OutputStatus ?? 'ENABLED',
    ...((isZixi(protocol) || protocol === 'rist') && {
      MaxLatency: given.MaxLatency ?? defaultMaxLatency(protocol),
    }),
    ...(protocol.startsWith('srt-') && { MinLatency: given.MinLatency ?? DEFAULT_MIN_LATENCY }),
    ...(MEMBERS[protocol].includes('SmoothingLatency') && { SmoothingLatency: given.SmoothingLatency ?? 0 }),
    ...(given.Encryption !== undefined && {
      Encryption: checkEncryption(given.Encryption, keyTypeOf(protocol), place, `${what}: Encryption`),
    }),
  };
}

/** Whether takers come to the output, rather than that it sends to them. */
export function listens(protocol: CarriedProtocol): boolean {
  return protocol === 'srt-listener' || protocol === 'zixi-pull';
}

function checkListener(given: OutputSettings, protocol: CarriedProtocol, what: string): number | undefined {
  const { CidrAllowList = [], Port, RemoteId } = given;
  if (CidrAllowList.length === 0) {
    throw badRequest(
      `${what}: CidrAllowList is required: nobody may take the stream who is not named. 0.0.0.0/0 lets everybody.`,
    );
  }
  if (CidrAllowList.length > MAX_CIDR_BLOCKS) {
    throw badRequest(`${what}: CidrAllowList has more than ${MAX_CIDR_BLOCKS} blocks.`);
  }
  for (const block of CidrAllowList) checkCidr(block, `${what}: CidrAllowList`);
  checkStreamId(RemoteId, `${what}: RemoteId`);
  if (protocol === 'zixi-pull' && RemoteId === undefined) throw badRequest(`${what}: RemoteId is required.`);
  if (protocol === 'srt-listener' && Port === undefined) throw badRequest(`${what}: Port is required.`);
  if (Port !== undefined) checkListeningPort(protocol, Port, `${what}: Port`);
  return Port;
}

function checkDialled(given: OutputSettings, protocol: CarriedProtocol, what: string): number {
  if (given.Destination === undefined) throw badRequest(`${what}: Destination is required.`);
  checkHost(given.Destination, `${what}: Destination`);
  const port = given.Port ?? (protocol === 'zixi-push' ? ZIXI_PUSH_PORT : undefined);
  if (port === undefined) throw badRequest(`${what}: Port is required.`);
  checkPeerPort(protocol, port, `${what}: Port`);
  return port;
}

/** As `mergedSource`, for outputs. */
export function mergedOutput(before: OutputSettings, update: OutputSettings): OutputSettings {
  const { Encryption, ...rest } = update;
  const given: OutputSettings = {
    ...withoutAbsent(rest),
    ...(Encryption !== undefined && { Encryption: { ...before.Encryption, ...withoutAbsent(Encryption) } as never }),
  };
  const isOther = update.Protocol !== undefined && update.Protocol !== before.Protocol;
  const allowed: readonly string[] = isOther
    ? [...(MEMBERS[update.Protocol as CarriedProtocol] ?? []), 'Encryption']
    : Object.keys(before);
  const kept = Object.fromEntries(Object.entries(before).filter(([member]) => allowed.includes(member)));
  return { ...kept, ...given };
}
