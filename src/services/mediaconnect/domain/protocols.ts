import { badRequest, notCarriedOut } from '../errors.ts';

export type CarriedProtocol =
  | 'udp'
  | 'rtp'
  | 'rtp-fec'
  | 'rist'
  | 'srt-listener'
  | 'srt-caller'
  | 'zixi-push'
  | 'zixi-pull';

const CARRIED: readonly string[] = [
  'udp',
  'rtp',
  'rtp-fec',
  'rist',
  'srt-listener',
  'srt-caller',
  'zixi-push',
  'zixi-pull',
] satisfies readonly CarriedProtocol[];

const REFUSED: Readonly<Record<string, string>> = {
  'st2110-jpegxs': 'flows carry transport streams, and no uncompressed or JPEG XS video.',
  cdi: 'flows carry transport streams, and no uncompressed video.',
  'fujitsu-qos': 'AWS has given the protocol up.',
  'ndi-speed-hq': 'flows carry transport streams, and no NDI.',
};

/**
 * @param what such as `Source camera`
 * @throws ServiceError BadRequestException
 */
export function checkProtocol(protocol: string | undefined, what: string): CarriedProtocol {
  if (protocol === undefined) throw badRequest(`${what}: Protocol is required.`);
  if (isCarried(protocol)) return protocol;
  throw notCarriedOut(`${what}: the protocol ${protocol}`, REFUSED[protocol] ?? 'it is not known.');
}

export function isCarried(protocol: string): protocol is CarriedProtocol {
  return CARRIED.includes(protocol);
}

/** Protocols of the RTP family: their packets are numbered alike by all senders of one stream. */
export function isRtpFamily(protocol: CarriedProtocol): boolean {
  return protocol === 'rtp' || protocol === 'rtp-fec' || protocol === 'rist';
}

function isSrt(protocol: CarriedProtocol): boolean {
  return protocol === 'srt-listener' || protocol === 'srt-caller';
}

export function isZixi(protocol: CarriedProtocol): boolean {
  return protocol === 'zixi-push' || protocol === 'zixi-pull';
}

/** How a protocol's streams can be encrypted, if they can. */
export function keyTypeOf(protocol: CarriedProtocol): 'srt-password' | 'static-key' | undefined {
  if (isSrt(protocol)) return 'srt-password';
  return isZixi(protocol) ? 'static-key' : undefined;
}

/** The port, and those that go with it: RTCP of RIST, column and row FEC of RTP-FEC. */
export function portsOf(protocol: CarriedProtocol, port: number): readonly number[] {
  switch (protocol) {
    case 'rist':
      return [port, port + 1];
    case 'rtp-fec':
      return [port, port + 2, port + 4];
    default:
      return [port];
  }
}

const MIN_PORT = 1024;
const MAX_PORT = 65_535;
/** Zixi's own, which no other protocol may take. */
export const ZIXI_PULL_PORT = 2077;
export const ZIXI_PUSH_PORT = 2088;

/**
 * A port on which a flow listens.
 *
 * @param where such as `Source camera: IngestPort`
 * @throws ServiceError BadRequestException
 */
export function checkListeningPort(protocol: CarriedProtocol, port: number, where: string): void {
  const ports = portsOf(protocol, port);
  if (port < MIN_PORT || (ports.at(-1) ?? port) > MAX_PORT) {
    const last = MAX_PORT - ((ports.at(-1) ?? port) - port);
    throw badRequest(`${where} must be from ${MIN_PORT} to ${last} for the protocol ${protocol}.`);
  }
  if (isSrt(protocol) && (port === ZIXI_PULL_PORT || port === ZIXI_PUSH_PORT)) {
    throw badRequest(`${where} must not be ${port}, which is kept for Zixi.`);
  }
  if (protocol === 'rist' && port % 2 !== 0) {
    throw badRequest(`${where} must be even for RIST, which uses the next port, too.`);
  }
}

/** A port of another machine. @throws ServiceError BadRequestException */
export function checkPeerPort(protocol: CarriedProtocol, port: number, where: string): void {
  const last = portsOf(protocol, port).at(-1) ?? port;
  if (port < 1 || last > MAX_PORT) throw badRequest(`${where} must be from 1 to ${MAX_PORT - (last - port)}.`);
  if (protocol === 'rist' && port % 2 !== 0) {
    throw badRequest(`${where} must be even for RIST, which uses the next port, too.`);
  }
}
