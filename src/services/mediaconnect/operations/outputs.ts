import type {
  AddFlowOutputsResponse,
  RemoveFlowOutputRequest,
  RemoveFlowOutputResponse,
  UpdateFlowOutputResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { AddOutputRequest, Loose, UpdateFlowOutputRequest } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import type { FlowDocument } from '../domain/flow-document.ts';
import { outputView } from '../domain/flow-view.ts';
import { checkOutput, mergedOutput, refuseUnknownOutputMembers } from '../domain/output-rules.ts';
import { isFilled } from '../domain/source-rules.ts';
import { badRequest, notFound, quotaExceeded } from '../errors.ts';
import { futureArn } from '../flows.ts';
import { AddFlowOutputs$, RemoveFlowOutput$, UpdateFlowOutput$ } from '../generated/schemas.ts';
import { MAX_OUTPUTS } from './create-flow.ts';
import { addAll, newOutput, outputSettings, placeOf } from './new-parts.ts';
import { passChangedRole, passRoles, rolesOf } from './pass-role.ts';
import { tagRequests } from './tag-requests.ts';

interface AddFlowOutputsRequest {
  readonly FlowArn: string | undefined;
  readonly Outputs: readonly AddOutputRequest[] | undefined;
}

export const addFlowOutputs = operation<MediaConnectContext, AddFlowOutputsRequest, Loose<AddFlowOutputsResponse>>(
  AddFlowOutputs$,
  {
    async authorize({ FlowArn, Outputs = [] }, call, { flows }) {
      const parts = Outputs.map(({ Name, OutputTags = {} }) => ({
        arn: futureArn('output', call, Name ?? '*'),
        tags: OutputTags,
      }));
      return [
        ...(await flows.access('AddFlowOutputs', FlowArn, call, parts)),
        ...tagRequests(parts),
        ...passRoles(rolesOf(Outputs.map(({ Encryption }) => Encryption)), FlowArn),
      ];
    },
    async handle({ FlowArn, Outputs = [] }, call, { lifecycle, viewOf }) {
      if (!isFilled(Outputs)) throw badRequest('Outputs must have at least one output.');
      const flow = await lifecycle.change(FlowArn, call, (document, draft) => {
        if (document.outputs.length + document.entitlements.length + Outputs.length > MAX_OUTPUTS) {
          throw quotaExceeded(
            'AddFlowOutputs',
            `A flow has at most ${MAX_OUTPUTS} outputs, those of its entitlements included.`,
          );
        }
        return {
          ...document,
          outputs: addAll(document.outputs, Outputs, (one, outputs) => newOutput(one, { ...document, outputs }, draft)),
        };
      });
      const added = flow.document.outputs.slice(-Outputs.length);
      for (const { arn } of added) call.audit.resources.add(arn);
      return { FlowArn: flow.arn, Outputs: added.map((output) => outputView(output, viewOf(flow))) };
    },
  },
);

export const updateFlowOutput = operation<
  MediaConnectContext,
  UpdateFlowOutputRequest,
  Loose<UpdateFlowOutputResponse>
>(UpdateFlowOutput$, {
  async authorize({ FlowArn, OutputArn = '', Encryption }, call, { flows }) {
    return [
      ...(await flows.access('UpdateFlowOutput', FlowArn, call, [{ arn: OutputArn }])),
      ...(await passChangedRole(Encryption, FlowArn, () => flows.roleOf(FlowArn, OutputArn, call))),
    ];
  },
  async handle(input, call, { lifecycle, viewOf }) {
    const { FlowArn, OutputArn } = input;
    const flow = await lifecycle.change(FlowArn, call, (document, draft) => {
      const output = requireOutput(document, OutputArn);
      const what = `Output ${output.name}`;
      refuseUnknownOutputMembers(input, what);
      const merged = mergedOutput(output.settings, outputSettings(input as Parameters<typeof outputSettings>[0]));
      const settings = checkOutput(merged, { ...placeOf(document, draft), what });
      return {
        ...document,
        outputs: document.outputs.map((one) => (one.arn === OutputArn ? { ...one, settings } : one)),
      };
    });
    return { FlowArn, Output: outputView(requireOutput(flow.document, OutputArn), viewOf(flow)) };
  },
});

export const removeFlowOutput = operation<
  MediaConnectContext,
  RemoveFlowOutputRequest,
  Loose<RemoveFlowOutputResponse>
>(RemoveFlowOutput$, {
  authorize: ({ FlowArn, OutputArn = '' }, call, { flows }) =>
    flows.access('RemoveFlowOutput', FlowArn, call, [{ arn: OutputArn }]),
  async handle({ FlowArn, OutputArn }, call, { lifecycle }) {
    await lifecycle.change(FlowArn, call, (document) => {
      requireOutput(document, OutputArn);
      return { ...document, outputs: document.outputs.filter(({ arn }) => arn !== OutputArn) };
    });
    return { FlowArn, OutputArn };
  },
});

/** @throws ServiceError NotFoundException, BadRequestException */
function requireOutput({ outputs, entitlements }: FlowDocument, arn: string | undefined) {
  const output = outputs.find((one) => one.arn === arn);
  if (output !== undefined) return output;
  const entitlement = entitlements.find(({ outputArn }) => outputArn === arn);
  if (entitlement === undefined) throw notFound('The flow has no such output.');
  throw badRequest(
    `The output is of the entitlement ${entitlement.arn}: it is changed with UpdateFlowEntitlement, and removed with ` +
      'RevokeFlowEntitlement.',
  );
}
