import { Counter, Gauge, type Registry } from 'prom-client';
import type { FlowStatus, OutputReport, SourceReport } from '#media/live/flow-engine.ts';
import type { StreamHealth } from '#media/live/stream-report.ts';

/** A metric of MediaConnect: its name in CloudWatch, how it reads there, and where it comes from. */
interface Metric<Subject> {
  readonly name: string;
  readonly help: string;
  /** Counters run from the start of the flow or of the leg. */
  readonly kind: 'counter' | 'gauge';
  /** `undefined` where the transport does not tell. */
  readonly value: (subject: Subject) => number | undefined;
}

/** TR 101 290, as MediaConnect names it. */
const HEALTH: readonly Metric<StreamHealth>[] = [
  counter('TSSyncLoss', 'Times that the transport stream was lost (TR 101 290, 1.1).', (health) => health.syncLosses),
  counter('TSByteError', 'Packets that did not begin with the sync byte (1.2).', (health) => health.syncByteErrors),
  counter('PATError', 'Times that the PAT was late or wrong (1.3).', (health) => health.patErrors),
  counter('ContinuityCounter', 'Continuity errors (1.4).', (health) => health.continuityErrors),
  counter('PMTError', 'Times that a PMT was late (1.5).', (health) => health.pmtErrors),
  counter('PIDError', 'Times that a stream of a program was away (1.6).', (health) => health.pidErrors),
  counter('TransportError', 'Packets marked as damaged (2.1).', (health) => health.transportErrors),
  counter('CRCError', 'Tables whose checksum is wrong (2.2).', (health) => health.crcErrors),
  counter('PCRError', 'Clock references too far apart (2.3).', (health) => health.pcrErrors),
  counter('PCRAccuracyError', 'Clock references off the constant rate (2.4).', (health) => health.pcrAccuracyErrors),
  counter('PTSError', 'Time stamps too far apart (2.5).', (health) => health.ptsErrors),
  counter('CATError', 'Scrambled packets without a CAT (2.6).', (health) => health.catErrors),
];

const SOURCE: readonly Metric<SourceReport>[] = [
  gauge('BitRate', 'Bits a second.', (source) => source.bitsPerSecond),
  counter('TotalPackets', 'Packets that were received and taken.', ({ statistics }) => statistics.packets),
  counter('RecoveredPackets', 'Lost packets that were recovered.', ({ statistics }) => statistics.recovered),
  counter('NotRecoveredPackets', 'Packets that never came in time.', ({ statistics }) => statistics.lost),
  counter('DroppedPackets', 'Packets that were of no use.', ({ statistics }) => statistics.dropped),
  counter('OverflowPackets', 'Packets for which there was no room.', ({ statistics }) => statistics.overflow),
  gauge('PacketLossPercent', 'Lost packets in a hundred, recovered or not.', ({ statistics }) => {
    const missing = statistics.lost + statistics.recovered;
    return missing === 0 ? 0 : (100 * missing) / (statistics.packets + statistics.lost);
  }),
  gauge('RoundTripTime', 'Milliseconds.', ({ statistics }) => statistics.roundTripMs),
  gauge('Jitter', 'Milliseconds.', ({ statistics }) => statistics.jitterMs),
  counter('ARQRequests', 'Packets that were asked for again.', ({ statistics }) => statistics.arqRequests),
  counter('ARQRecovered', 'Packets that came again.', ({ statistics }) => statistics.arqRecovered),
  counter('FECPackets', 'FEC packets that were received.', ({ statistics }) => statistics.fecPackets),
  counter('FECRecovered', 'Packets that were made from FEC.', ({ statistics }) => statistics.fecRecovered),
  gauge('Connected', '1 while the source is there.', ({ statistics }) => Number(statistics.isConnected)),
  counter('Disconnections', 'Times that the source went.', ({ statistics }) => statistics.disconnections),
];

const OUTPUT: readonly Metric<OutputReport>[] = [
  gauge('OutputBitRate', 'Bits a second.', (output) => output.bitsPerSecond),
  counter('OutputTotalPackets', 'Packets that were sent.', ({ statistics }) => statistics.packets),
  counter('OutputDroppedPackets', 'Packets that were given up.', ({ statistics }) => statistics.dropped),
  counter('OutputResentPackets', 'Packets that were sent again.', ({ statistics }) => statistics.retransmitted),
  counter('OutputFECPackets', 'FEC packets that were sent.', ({ statistics }) => statistics.fecPackets),
  gauge('OutputRoundTripTime', 'Milliseconds.', ({ statistics }) => statistics.roundTripMs),
  gauge('OutputConnected', '1 while a taker is there.', ({ statistics }) => Number(statistics.isConnected)),
  counter('OutputDisconnections', 'Times that a taker went.', ({ statistics }) => statistics.disconnections),
];

const FLOW: readonly Metric<FlowStatus>[] = [
  gauge('ConnectedOutputs', 'Outputs with a taker.', ({ outputs }) =>
    outputs.reduce((count, { statistics }) => count + Number(statistics.isConnected), 0),
  ),
  gauge('MergeActive', '1 while both sources are merged.', ({ merge }) => merge && Number(merge.isActive)),
  gauge('MergeLatency', 'Milliseconds that merging may wait.', ({ merge }) => merge?.latencyMs),
];

/** Registers MediaConnect's documented metrics; they are read when somebody asks for them. */
export function registerFlowMetrics(registry: Registry, statuses: () => readonly FlowStatus[]): void {
  const flows = (): readonly Sample<FlowStatus>[] => statuses().map((flow) => [{ flow_arn: flow.flowId }, flow]);
  const sources = (): readonly Sample<SourceReport>[] =>
    statuses().flatMap((flow) =>
      flow.sources.map((source) => [{ flow_arn: flow.flowId, source_arn: source.id }, source] as const),
    );
  const outputs = (): readonly Sample<OutputReport>[] =>
    statuses().flatMap((flow) =>
      flow.outputs.map((output) => [{ flow_arn: flow.flowId, output_arn: output.id }, output] as const),
    );
  for (const metric of FLOW) register(registry, metric, ['flow_arn'], flows);
  for (const metric of HEALTH) {
    const { value } = metric;
    register(registry, { ...metric, value: (flow: FlowStatus) => value(flow.health) }, ['flow_arn'], flows);
    const ofSource = { ...metric, name: `Source${metric.name}`, value: (source: SourceReport) => value(source.health) };
    register(registry, ofSource, ['flow_arn', 'source_arn'], sources);
  }
  for (const metric of SOURCE) {
    register(registry, { ...metric, name: `Source${metric.name}` }, ['flow_arn', 'source_arn'], sources);
    if (metric.name === 'Jitter') continue;
    // Of the flow as a whole: what its selected source tells.
    const ofFlow = {
      ...metric,
      value: (flow: FlowStatus) => {
        const source = flow.sources.find(({ id }) => id === flow.selectedSource) ?? flow.sources[0];
        return source && metric.value(source);
      },
    };
    register(registry, ofFlow, ['flow_arn'], flows);
  }
  const isSelected = gauge<FlowStatus['sources'][number] & { readonly selected: boolean }>(
    'SourceSelected',
    '1 for the source that is taken.',
    ({ selected }) => Number(selected),
  );
  register(registry, isSelected, ['flow_arn', 'source_arn'], () =>
    statuses().flatMap((flow) =>
      flow.sources.map((source) => [
        { flow_arn: flow.flowId, source_arn: source.id },
        { ...source, selected: source.id === flow.selectedSource },
      ]),
    ),
  );
  for (const metric of OUTPUT) register(registry, metric, ['flow_arn', 'output_arn'], outputs);
}

type Sample<Subject> = readonly [labels: Readonly<Record<string, string>>, subject: Subject];

function register<Subject>(
  registry: Registry,
  { name, help, kind, value }: Metric<Subject>,
  labelNames: readonly string[],
  samples: () => readonly Sample<Subject>[],
): void {
  const facts = { help, labelNames: [...labelNames], registers: [registry] };
  if (kind === 'gauge') {
    new Gauge({
      ...facts,
      name: metricName(name, ''),
      collect() {
        this.reset();
        for (const [labels, subject] of samples()) {
          const number = value(subject);
          if (number !== undefined) this.set(labels, number);
        }
      },
    });
    return;
  }
  new Counter({
    ...facts,
    name: metricName(name, '_total'),
    collect() {
      this.reset();
      for (const [labels, subject] of samples()) this.inc(labels, value(subject) ?? 0);
    },
  });
}

/** `ARQRecovered` → `coffer_mediaconnect_arq_recovered_total`. */
function metricName(name: string, suffix: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2');
  return `coffer_mediaconnect_${words.toLowerCase()}${suffix}`;
}

function counter<Subject>(name: string, help: string, value: Metric<Subject>['value']): Metric<Subject> {
  return { name, help, kind: 'counter', value };
}

function gauge<Subject>(name: string, help: string, value: Metric<Subject>['value']): Metric<Subject> {
  return { name, help, kind: 'gauge', value };
}
