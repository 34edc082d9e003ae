import type { FailoverConfig } from '@aws-sdk/client-mediaconnect';
import type { MonitoringConfig, NewFlowMembers } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';
import type { FlowDocument } from './flow-document.ts';
import { checkProtocol, portsOf } from './protocols.ts';
import { listens } from './output-rules.ts';
import { checkMerge } from './source-rules.ts';
import { checkRange } from './value-rules.ts';

export const MAX_SOURCES = 2;

/** Members that say what AWS's machines are to be, or are of NDI. @throws ServiceError BadRequestException */
export function refuseUnknownFlowMembers({ FlowSize, NdiConfig, EncodingConfig }: NewFlowMembers): void {
  if (FlowSize !== undefined && FlowSize !== 'MEDIUM') {
    throw notCarriedOut(
      `FlowSize ${FlowSize}`,
      'it is for NDI, CDI and JPEG XS, which flows do not carry. Use MEDIUM.',
    );
  }
  if (NdiConfig !== undefined && NdiConfig.NdiState !== 'DISABLED') {
    throw notCarriedOut('NdiConfig', 'flows carry no NDI.');
  }
  if (EncodingConfig !== undefined) throw notCarriedOut('EncodingConfig', 'flows do not encode.');
}

/** Zones are kept and told: all are this machine. @throws ServiceError BadRequestException */
export function checkZone(zone: string | undefined, region: string): string {
  if (zone === undefined) return `${region}a`;
  if (!zone.startsWith(region) || !/^[a-z]$/.test(zone.slice(region.length))) {
    throw badRequest(`AvailabilityZone must be one of the Region ${region}, such as ${region}a.`);
  }
  return zone;
}

/** @throws ServiceError BadRequestException */
export function checkMonitoring(given: MonitoringConfig): MonitoringConfig {
  if (given.ContentQualityAnalysisState === 'ENABLED') refuseAnalysis('ContentQualityAnalysisState');
  for (const { SilentAudio } of given.AudioMonitoringSettings ?? []) checkMonitored(SilentAudio, 'SilentAudio');
  for (const { BlackFrames, FrozenFrames } of given.VideoMonitoringSettings ?? []) {
    checkMonitored(BlackFrames, 'BlackFrames');
    checkMonitored(FrozenFrames, 'FrozenFrames');
  }
  return given;
}

function checkMonitored(
  given: { readonly State?: 'ENABLED' | 'DISABLED'; readonly ThresholdSeconds?: number } | undefined,
  what: string,
): void {
  if (given?.State === 'ENABLED') refuseAnalysis(`${what}.State`);
  checkRange(given?.ThresholdSeconds, 10, 60, `SourceMonitoringConfig: ${what}.ThresholdSeconds`);
}

function refuseAnalysis(what: string): never {
  throw notCarriedOut(
    `SourceMonitoringConfig: ${what} ENABLED`,
    'pictures and sound are not looked at. Health is reckoned from the transport stream.',
  );
}

/** @throws ServiceError BadRequestException */
export function checkFailover(given: FailoverConfig): FailoverConfig {
  const { FailoverMode, RecoveryWindow, SourcePriority, State = 'DISABLED' } = given;
  const where = 'SourceFailoverConfig';
  if (FailoverMode === 'FAILOVER') {
    if (RecoveryWindow !== undefined) throw badRequest(`${where}: RecoveryWindow is of the mode MERGE.`);
    return { State, FailoverMode, ...(SourcePriority !== undefined && { SourcePriority }) };
  }
  if (SourcePriority?.PrimarySource !== undefined) {
    throw badRequest(`${where}: SourcePriority is of the mode FAILOVER.`);
  }
  checkRange(RecoveryWindow, 100, 15_000, `${where}: RecoveryWindow`);
  return { State, FailoverMode: 'MERGE', RecoveryWindow: RecoveryWindow ?? 200 };
}

/**
 * What no single source, output or entitlement can see: how they go together.
 *
 * @throws ServiceError BadRequestException
 */
export function checkWhole(document: FlowDocument): void {
  const { sources, outputs, entitlements } = document;
  refuseTwice(sources, 'Sources', 'the name');
  refuseTwice(outputs, 'Outputs', 'the name');
  refuseTwice(entitlements, 'Entitlements', 'the name');
  checkSources(document);
  const destinations = new Set<string>();
  for (const { name, settings } of outputs) {
    const protocol = checkProtocol(settings.Protocol, `Output ${name}`);
    if (listens(protocol)) continue;
    for (const port of portsOf(protocol, settings.Port ?? 0)) {
      const destination = `${settings.Destination ?? ''} port ${port}`;
      if (destinations.has(destination)) {
        throw badRequest(`Output ${name}: another output of the flow sends to ${destination} already.`);
      }
      destinations.add(destination);
    }
  }
}

function checkSources({ sources, failover }: FlowDocument): void {
  const isEnabled = failover?.State === 'ENABLED';
  if (sources.length === 0) throw badRequest('A flow has at least one source.');
  if (sources.length > MAX_SOURCES) throw badRequest(`A flow has at most ${MAX_SOURCES} sources.`);
  if (sources.length > 1 && !isEnabled) {
    throw badRequest('A flow has a second source only while its SourceFailoverConfig.State is ENABLED.');
  }
  if (!isEnabled || failover === undefined) return;
  if (sources.some(({ settings }) => settings.EntitlementArn !== undefined)) {
    throw badRequest('Source failover is not for sources that are entitlements.');
  }
  const protocols = sources.map(({ name, settings }) => checkProtocol(settings.Protocol, `Source ${name}`));
  if (new Set(protocols).size > 1) {
    throw badRequest(`The two sources of a flow must have the same protocol, not ${protocols.join(' and ')}.`);
  }
  if (failover.FailoverMode === 'MERGE') for (const protocol of protocols) checkMerge(protocol);
  const primary = failover.SourcePriority?.PrimarySource;
  if (primary !== undefined && !sources.some(({ name }) => name === primary)) {
    throw badRequest(`SourceFailoverConfig: SourcePriority.PrimarySource: the flow has no source ${primary}.`);
  }
}

function refuseTwice(items: readonly { readonly name: string }[], what: string, how: string): void {
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) throw badRequest(`${what}: ${how} ${name} is there already.`);
    seen.add(name);
  }
}
