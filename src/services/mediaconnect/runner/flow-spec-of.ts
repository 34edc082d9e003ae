import type { Encryption } from '@aws-sdk/client-mediaconnect';
import type {
  FlowSpec,
  ListenAddress,
  OutputSpec,
  OutputTransport,
  SourceSpec,
  SourceTransport,
  SrtEncryption,
  SrtSettings,
} from '#media/live/flow-spec.ts';
import type {
  EntitlementDocument,
  FlowDocument,
  FlowRecord,
  OutputDocument,
  SourceDocument,
} from '../domain/flow-document.ts';
import type { FlowAddresses, GrantedEntitlement } from '../entitlement-directory.ts';
import { checkProtocol } from '../domain/protocols.ts';

/** Milliseconds for packets to be sent again on the way of an entitlement; the side that wants more gets it. */
const LOCAL_HOP_LATENCY = 200;
const REMOTE_HOP_LATENCY = 1000;
const ANYBODY = ['0.0.0.0/0', '::/0'];
const THIS_MACHINE = ['127.0.0.0/8', '::1/128'];

/** What a specification needs beside the flow's record. */
export interface SpecParts {
  readonly addresses: FlowAddresses;
  /** By the ARN of the source, output or entitlement. */
  readonly keys: ReadonlyMap<string, SrtEncryption>;
  /** The entitlement that the source names. */
  readonly granted: GrantedEntitlement | undefined;
  /** What the hop of an entitlement without encryption is encrypted with. */
  readonly passphraseOf: (entitlement: string) => string;
}

/** What is encrypted with a key from a secret, among that which is to run. */
export interface EncryptedLeg {
  readonly arn: string;
  /** Such as `output taker`. */
  readonly what: string;
  readonly encryption: Encryption;
}

export function encryptedLegs({ sources, outputs, entitlements }: FlowDocument): readonly EncryptedLeg[] {
  const legs: EncryptedLeg[] = [];
  const add = (arn: string, what: string, encryption: Encryption | undefined): void => {
    if (encryption !== undefined) legs.push({ arn, what, encryption });
  };
  for (const { arn, name, settings } of sources) add(arn, `source ${name}`, settings.Decryption);
  for (const { arn, name, settings } of outputs.filter(isOn)) add(arn, `output ${name}`, settings.Encryption);
  for (const { arn, name, encryption, status } of entitlements) {
    if (status === 'ENABLED') add(arn, `entitlement ${name}`, encryption);
  }
  return legs;
}

export function flowSpecOf({ arn, document }: Pick<FlowRecord, 'arn' | 'document'>, parts: SpecParts): FlowSpec {
  const { sources, outputs, entitlements, failover, monitoring } = document;
  const specs = sources.map((source) => sourceSpec(source, parts));
  return {
    id: arn,
    sources: specs,
    ...(specs.length > 1 && failover !== undefined && { failover: failoverSpec(document) }),
    outputs: [
      ...outputs.filter(isOn).map((output) => outputSpec(output, parts)),
      ...entitlements.filter(({ status }) => status === 'ENABLED').map((one) => entitlementSpec(one, parts)),
    ],
    keepsKeyFrame: monitoring.ThumbnailState === 'ENABLED',
  };
}

function isOn({ settings }: OutputDocument): boolean {
  return settings.OutputStatus !== 'DISABLED';
}

function failoverSpec({ sources, failover }: FlowDocument): NonNullable<FlowSpec['failover']> {
  if (failover?.FailoverMode !== 'FAILOVER') return { mode: 'merge', windowMs: failover?.RecoveryWindow ?? 200 };
  const name = failover.SourcePriority?.PrimarySource;
  const primary = sources.find((source) => source.name === name)?.arn;
  return { mode: 'failover', ...(primary !== undefined && { primary }) };
}

function sourceSpec({ arn, name, settings }: SourceDocument, parts: SpecParts): SourceSpec {
  const { MaxBitrate } = settings;
  const transport =
    settings.EntitlementArn === undefined
      ? sourceTransport({ arn, name, settings }, parts)
      : entitledTransport(arn, settings.EntitlementArn, parts);
  return { id: arn, name, transport, ...(MaxBitrate !== undefined && { maxBitrate: MaxBitrate }) };
}

function sourceTransport(
  { arn, name, settings }: Omit<SourceDocument, 'tags'>,
  { addresses, keys }: SpecParts,
): SourceTransport {
  const protocol = checkProtocol(settings.Protocol, `Source ${name}`);
  const listen: ListenAddress = {
    address: addresses.address,
    port: settings.IngestPort ?? 0,
    allowed: settings.WhitelistCidr === undefined ? [] : [settings.WhitelistCidr],
  };
  const key = keyOf(arn, settings.Decryption, keys);
  const { StreamId, MinLatency = 0, MaxLatency = 0 } = settings;
  switch (protocol) {
    case 'udp':
    case 'rtp':
    case 'rtp-fec':
      return { protocol, ...listen };
    case 'rist':
      return { protocol, ...listen, latencyMs: MaxLatency };
    case 'srt-listener':
      return { protocol, ...listen, ...srt(MinLatency, undefined, key) };
    case 'srt-caller':
      return {
        protocol,
        host: settings.SourceListenerAddress ?? '',
        port: settings.SourceListenerPort ?? 0,
        ...srt(MinLatency, StreamId, key),
      };
    case 'zixi-push':
    case 'zixi-pull':
      // Zixi's own protocol is closed: its names are carried over SRT (docs/security.md).
      return { protocol: 'srt-listener', ...listen, ...srt(MaxLatency, StreamId, key) };
  }
}

function entitledTransport(arn: string, entitlement: string, parts: SpecParts): SourceTransport {
  const { granted, keys } = parts;
  if (granted === undefined) throw new TypeError('The entitlement of the source was not looked up.');
  const encryption = granted.isEncrypted ? required(keys.get(arn)) : hopKey(entitlement, parts);
  const latency = granted.isFlowing === undefined ? REMOTE_HOP_LATENCY : LOCAL_HOP_LATENCY;
  return { protocol: 'srt-caller', host: granted.host, port: granted.port, ...srt(latency, entitlement, encryption) };
}

function entitlementSpec({ arn, name, port, encryption }: EntitlementDocument, parts: SpecParts): OutputSpec {
  const { address, loopback } = parts.addresses;
  const isEncrypted = encryption !== undefined;
  // INVARIANT: what nobody gave a key for does not leave the machine.
  const listen: ListenAddress = isEncrypted
    ? { address, port, allowed: ANYBODY }
    : { address: loopback, port, allowed: THIS_MACHINE };
  const key = keyOf(arn, encryption, parts.keys) ?? hopKey(arn, parts);
  return { id: arn, name, transport: { protocol: 'srt-listener', ...listen, ...srt(LOCAL_HOP_LATENCY, arn, key) } };
}

function outputSpec(output: OutputDocument, parts: SpecParts): OutputSpec {
  return { id: output.arn, name: output.name, transport: outputTransport(output, parts) };
}

function outputTransport({ arn, name, settings }: OutputDocument, { addresses, keys }: SpecParts): OutputTransport {
  const protocol = checkProtocol(settings.Protocol, `Output ${name}`);
  const { Port = 0, SmoothingLatency = 0, MinLatency = 0, MaxLatency = 0, StreamId } = settings;
  const listen: ListenAddress = { address: addresses.address, port: Port, allowed: settings.CidrAllowList ?? [] };
  const dial = { host: settings.Destination ?? '', port: Port };
  const key = keyOf(arn, settings.Encryption, keys);
  switch (protocol) {
    case 'udp':
    case 'rtp':
    case 'rtp-fec':
      return { protocol, ...dial, smoothingMs: SmoothingLatency };
    case 'rist':
      return { protocol, ...dial, smoothingMs: SmoothingLatency, latencyMs: MaxLatency };
    case 'srt-listener':
      return { protocol, ...listen, ...srt(MinLatency, undefined, key) };
    case 'srt-caller':
      return { protocol, ...dial, ...srt(MinLatency, StreamId, key) };
    case 'zixi-push':
      // AWS: the stream id of Zixi is the output's name unless another is given.
      return { protocol: 'srt-caller', ...dial, ...srt(MaxLatency, StreamId ?? name, key) };
    case 'zixi-pull':
      return { protocol: 'srt-listener', ...listen, ...srt(MaxLatency, StreamId, key) };
  }
}

function srt(latencyMs: number, streamId: string | undefined, encryption: SrtEncryption | undefined): SrtSettings {
  return {
    latencyMs,
    ...(streamId !== undefined && { streamId }),
    ...(encryption !== undefined && { encryption }),
  };
}

function hopKey(entitlement: string, { passphraseOf }: SpecParts): SrtEncryption {
  return { passphrase: passphraseOf(entitlement), keyBytes: 32 };
}

function keyOf(arn: string, encryption: Encryption | undefined, keys: SpecParts['keys']): SrtEncryption | undefined {
  return encryption && required(keys.get(arn));
}

/** INVARIANT: what is to be encrypted never runs without its key. */
function required(key: SrtEncryption | undefined): SrtEncryption {
  if (key === undefined) throw new TypeError('A key was not read.');
  return key;
}
