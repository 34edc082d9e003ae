import type { FlowEvent } from './flow-engine.ts';
import type { FlowSpec } from './flow-spec.ts';
import { Flow } from './flow.ts';
import { LegError } from './leg-error.ts';
import type { FlowAnswer, FromFlowWorker, ToFlowWorker } from './worker-messages.ts';

/**
 * The process that moves live flows. It has no rights and no files: what it may know, and its flows' keys, come over
 * the pipe to the platform, and when that is gone it ends.
 */

const TICK_MS = 5;
const WATCH_MS = 100;
const REPORT_MS = 1000;

const flows = new Map<string, Flow>();
/** Requests for one flow take effect in their order. */
const turns = new Map<string, Promise<unknown>>();

function send(message: FromFlowWorker): void {
  if (process.connected) process.send?.(message);
}

const onEvent = (event: FlowEvent): void => send({ kind: 'event', event });

async function apply(spec: FlowSpec): Promise<FlowAnswer> {
  const known = flows.get(spec.id);
  const flow = known ?? new Flow(onEvent);
  try {
    const ports = await flow.apply(spec);
    flows.set(spec.id, flow);
    return { ports, status: flow.report(performance.now()) };
  } catch (error) {
    if (known === undefined) await flow.close();
    throw error;
  }
}

async function stop(flowId: string): Promise<FlowAnswer> {
  const flow = flows.get(flowId);
  flows.delete(flowId);
  await flow?.close();
  return {};
}

function keyFrame(flowId: string): FlowAnswer {
  const frame = flows.get(flowId)?.keyFrame();
  return { keyFrame: frame && { ...frame, at: Math.round(performance.timeOrigin + frame.at) } };
}

function work(message: ToFlowWorker): Promise<FlowAnswer> | FlowAnswer {
  switch (message.kind) {
    case 'apply':
      return apply(message.spec);
    case 'stop':
      return stop(message.flowId);
    case 'key-frame':
      return keyFrame(message.flowId);
  }
}

async function answer(message: ToFlowWorker): Promise<void> {
  const { request } = message;
  try {
    send({ kind: 'done', request, answer: await work(message) });
  } catch (error) {
    const { code, message: text } = error instanceof LegError ? error : new LegError('unusable', String(error));
    send({ kind: 'failed', request, code, message: text });
  }
}

process.on('message', (message: ToFlowWorker) => {
  const flowId = message.kind === 'apply' ? message.spec.id : message.flowId;
  const turn = (turns.get(flowId) ?? Promise.resolve()).then(() => answer(message));
  turns.set(flowId, turn);
  void turn.then(() => {
    if (turns.get(flowId) === turn) turns.delete(flowId);
  });
});
process.on('disconnect', () => process.exit());

setInterval(() => {
  const now = performance.now();
  for (const flow of flows.values()) flow.tick(now);
}, TICK_MS);
setInterval(() => {
  const now = performance.now();
  for (const flow of flows.values()) flow.watch(now);
}, WATCH_MS);
setInterval(() => {
  const now = performance.now();
  send({ kind: 'report', statuses: [...flows.values()].flatMap((flow) => flow.report(now) ?? []) });
}, REPORT_MS);
