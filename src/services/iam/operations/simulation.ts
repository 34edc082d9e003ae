import {
  GetContextKeysForCustomPolicy$,
  type GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPrincipalPolicy$,
  type GetContextKeysForPolicyResponse,
  type GetContextKeysForPrincipalPolicyRequest,
  SimulateCustomPolicy$,
  type SimulateCustomPolicyRequest,
  type SimulatePolicyResponse,
  SimulatePrincipalPolicy$,
  type SimulatePrincipalPolicyRequest,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '#kernel/operation.ts';
import type { PrincipalFacts } from '#policy/principal.ts';
import type { IamContext } from '../context.ts';
import { parseIamArn, principalArn } from '../domain/identifiers.ts';
import { invalidInput, validation } from '../errors.ts';
import { readContextEntries } from '../simulation/context-entries.ts';
import { findPrincipalByArn, type PrincipalSource, readPrincipalSource } from '../simulation/principal-sources.ts';
import { type Simulation, Simulator } from '../simulation/simulate.ts';
import { contextKeysOf, distinctKeys, type SimulatedPolicy, simulatedPolicy } from '../simulation/simulated-policy.ts';
import { callerAccount, required } from './targets.ts';

const DEFAULT_MAX_ITEMS = 100;
/** Characters of all policies of one simulation. */
const MAX_TEXT = 1_048_576;
/** Milliseconds after which other requests have their turn. */
const TURN_MS = 10;

export const simulateCustomPolicy = operation<IamContext, SimulateCustomPolicyRequest, SimulatePolicyResponse>(
  SimulateCustomPolicy$,
  {
    authorize: () => [{ action: 'iam:SimulateCustomPolicy', resource: '*' }],
    handle: (input, call) => simulate(input, call, undefined),
  },
);

export const simulatePrincipalPolicy = operation<IamContext, SimulatePrincipalPolicyRequest, SimulatePolicyResponse>(
  SimulatePrincipalPolicy$,
  {
    authorize: (input) => [
      { action: 'iam:SimulatePrincipalPolicy', resource: required(input.PolicySourceArn, 'PolicySourceArn') },
    ],
    async handle(input, call, iam) {
      return simulate(input, call, await readSource(input.PolicySourceArn, call, iam));
    },
  },
);

export const getContextKeysForCustomPolicy = operation<
  IamContext,
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse
>(GetContextKeysForCustomPolicy$, {
  authorize: () => [{ action: 'iam:GetContextKeysForCustomPolicy', resource: '*' }],
  handle: (input) => ({ ContextKeyNames: keysOf(readInputs(input.PolicyInputList)) }),
});

export const getContextKeysForPrincipalPolicy = operation<
  IamContext,
  GetContextKeysForPrincipalPolicyRequest,
  GetContextKeysForPolicyResponse
>(GetContextKeysForPrincipalPolicy$, {
  authorize: (input) => [
    { action: 'iam:GetContextKeysForPrincipalPolicy', resource: required(input.PolicySourceArn, 'PolicySourceArn') },
  ],
  async handle(input, call, iam) {
    const { identity } = await readSource(input.PolicySourceArn, call, iam);
    return { ContextKeyNames: keysOf([...identity, ...readInputs(input.PolicyInputList)]) };
  },
});

async function readSource(arn: string | undefined, call: Call, iam: IamContext): Promise<PrincipalSource> {
  const given = required(arn, 'PolicySourceArn');
  return readPrincipalSource(iam.store, await findPrincipalByArn(iam.store.read, callerAccount(call), given));
}

function readInputs(texts: readonly string[] | undefined): SimulatedPolicy[] {
  const length = (texts ?? []).reduce((sum, text) => sum + text.length, 0);
  if (length > MAX_TEXT) throw invalidInput(`PolicyInputList has ${length} characters; the maximum is ${MAX_TEXT}.`);
  return (texts ?? []).map((text, index) => simulatedPolicy(`PolicyInputList.${index + 1}`, 'none', text, 'identity'));
}

function keysOf(policies: readonly SimulatedPolicy[]): string[] {
  return distinctKeys(
    policies.flatMap(({ policy }) => policy.statements.flatMap(({ index }) => contextKeysOf(policy, index))),
  );
}

type SimulationInput = Omit<SimulateCustomPolicyRequest, 'PolicyInputList'> & {
  readonly PolicyInputList?: readonly string[] | undefined;
};

async function simulate(
  input: SimulationInput,
  call: Call,
  source: PrincipalSource | undefined,
): Promise<SimulatePolicyResponse> {
  const actions = required(input.ActionNames, 'ActionNames');
  for (const action of actions) checkActionName(action);
  const resources = input.ResourceArns ?? [];
  for (const resource of resources) checkResourceArn(resource);
  if (input.ResourceHandlingOption !== undefined) {
    throw invalidInput(
      'ResourceHandlingOption is not implemented by Coffer: its scenarios are all about EC2, which is not here.',
    );
  }
  const simulator = new Simulator(readSimulation(input, call, source));
  const from = readMarker(input.Marker);
  const count = actions.length * Math.max(1, resources.length);
  const to = Math.min(count, from + (input.MaxItems ?? DEFAULT_MAX_ITEMS));
  const EvaluationResults = [];
  let since = performance.now();
  for (let index = from; index < to; index++) {
    const action = actions[Math.floor(index / Math.max(1, resources.length))] ?? '';
    EvaluationResults.push(simulator.run(action, resources[index % Math.max(1, resources.length)]));
    if (performance.now() - since < TURN_MS) continue;
    await new Promise(setImmediate);
    since = performance.now();
  }
  const isTruncated = to < count;
  const Marker = Buffer.from(String(to)).toString('base64url');
  return { EvaluationResults, IsTruncated: isTruncated, ...(isTruncated && { Marker }) };
}

function readSimulation(input: SimulationInput, call: Call, source: PrincipalSource | undefined): Simulation {
  const { CallerArn, ResourcePolicy, ResourceOwner, ContextEntries = [] } = input;
  const boundaries = input.PermissionsBoundaryPolicyInputList ?? [];
  if (boundaries.length > 1) throw invalidInput('PermissionsBoundaryPolicyInputList has one policy at most.');
  const [boundary] = boundaries;
  const account = callerAccount(call);
  const caller = CallerArn ?? (source?.principal.kind === 'user' ? principalArn('user', source.principal) : undefined);
  if (CallerArn !== undefined && parseIamArn('user', CallerArn) === undefined) {
    throw invalidInput(`Invalid CallerArn: ${CallerArn} is not the ARN of an IAM user.`);
  }
  if (ResourcePolicy !== undefined && caller === undefined) {
    throw invalidInput('CallerArn is required with ResourcePolicy unless PolicySourceArn is the ARN of a user.');
  }
  const context = new Map([...factsOf(caller, source), ...readContextEntries(ContextEntries)]);
  return {
    principal: principalOf(caller, account, source),
    identity: [...(source?.identity ?? []), ...readInputs(input.PolicyInputList)],
    boundary:
      boundary === undefined
        ? source?.boundary
        : simulatedPolicy('PermissionsBoundaryPolicyInputList.1', 'none', boundary, 'identity'),
    resource:
      ResourcePolicy === undefined
        ? undefined
        : simulatedPolicy('ResourcePolicy', 'resource', ResourcePolicy, 'resource'),
    resourceOwner: ResourceOwner === undefined ? undefined : readOwner(ResourceOwner),
    context,
  };
}

function principalOf(caller: string | undefined, account: string, source: PrincipalSource | undefined): PrincipalFacts {
  if (caller === undefined) return { isRoot: false, accountId: account };
  const isSource = source?.principal.kind === 'user' && principalArn('user', source.principal) === caller;
  return {
    isRoot: false,
    accountId: parseIamArn('user', caller)?.account ?? account,
    arn: caller,
    ...(isSource && { uniqueId: source.principal.id }),
  };
}

/** What a request of the caller would have in any case; entries go over it. */
function factsOf(caller: string | undefined, source: PrincipalSource | undefined): [string, string][] {
  const parts = caller === undefined ? undefined : parseIamArn('user', caller);
  if (caller !== undefined && parts !== undefined) {
    return [
      ['aws:principalarn', caller],
      ['aws:principalaccount', parts.account],
      ['aws:principaltype', 'User'],
      ['aws:username', parts.name],
    ];
  }
  if (source?.principal.kind !== 'role') return [];
  return [
    ['aws:principalarn', principalArn('role', source.principal)],
    ['aws:principalaccount', source.principal.account],
    ['aws:principaltype', 'AssumedRole'],
  ];
}

function checkActionName(action: string): void {
  if (/[*?]/.test(action)) throw invalidInput(`Invalid action name ${action}: wildcards cannot be simulated.`);
  if (!/^[A-Za-z0-9-]+:[A-Za-z0-9_-]+$/.test(action)) {
    throw invalidInput(`Invalid action name ${action}: it has the format service:action.`);
  }
}

function checkResourceArn(resource: string): void {
  if (resource === '*' || (resource.startsWith('arn:') && resource.split(':').length >= 6)) return;
  throw invalidInput(`Invalid resource ${resource}: it must be an ARN or "*".`);
}

function readOwner(owner: string): string {
  const account = /^(?:(\d{12})|arn:aws:iam::(\d{12}):root)$/.exec(owner);
  const found = account?.[1] ?? account?.[2];
  if (found === undefined) throw invalidInput(`Invalid ResourceOwner ${owner}: it must be an account ID.`);
  return found;
}

function readMarker(marker: string | undefined): number {
  if (marker === undefined) return 0;
  const from = Buffer.from(marker, 'base64url').toString();
  if (!/^\d{1,9}$/.test(from) || Buffer.from(from).toString('base64url') !== marker)
    throw validation('Invalid Marker.');
  return Number(from);
}
