import type {
  AddFlowVpcInterfacesResponse,
  RemoveFlowVpcInterfaceRequest,
  RemoveFlowVpcInterfaceResponse,
} from '@aws-sdk/client-mediaconnect';
import { operation } from '#kernel/operation.ts';
import type { Loose, VpcInterfaceRequest } from '../api-types.ts';
import type { MediaConnectContext } from '../context.ts';
import { isFilled } from '../domain/source-rules.ts';
import { withVpcInterfaces } from '../domain/vpc-interface-rules.ts';
import { badRequest, notFound } from '../errors.ts';
import { AddFlowVpcInterfaces$, RemoveFlowVpcInterface$ } from '../generated/schemas.ts';
import { passRoles } from './pass-role.ts';

interface AddFlowVpcInterfacesRequest {
  readonly FlowArn: string | undefined;
  readonly VpcInterfaces: readonly VpcInterfaceRequest[] | undefined;
}

/** They are kept and told; nothing is made in a VPC. */
export const addFlowVpcInterfaces = operation<
  MediaConnectContext,
  AddFlowVpcInterfacesRequest,
  Loose<AddFlowVpcInterfacesResponse>
>(AddFlowVpcInterfaces$, {
  async authorize({ FlowArn, VpcInterfaces = [] }, call, { flows }) {
    return [
      ...(await flows.access('AddFlowVpcInterfaces', FlowArn, call)),
      ...passRoles(
        VpcInterfaces.map(({ RoleArn }) => RoleArn),
        FlowArn,
      ),
    ];
  },
  async handle({ FlowArn, VpcInterfaces = [] }, call, { lifecycle }) {
    if (!isFilled(VpcInterfaces)) throw badRequest('VpcInterfaces must have at least one interface.');
    const flow = await lifecycle.change(
      FlowArn,
      call,
      (document, draft) => ({
        ...document,
        vpcInterfaces: withVpcInterfaces(document.vpcInterfaces, VpcInterfaces, draft),
      }),
      false,
    );
    return { FlowArn: flow.arn, VpcInterfaces: flow.document.vpcInterfaces.slice(-VpcInterfaces.length) };
  },
});

export const removeFlowVpcInterface = operation<
  MediaConnectContext,
  RemoveFlowVpcInterfaceRequest,
  Loose<RemoveFlowVpcInterfaceResponse>
>(RemoveFlowVpcInterface$, {
  authorize: ({ FlowArn }, call, { flows }) => flows.access('RemoveFlowVpcInterface', FlowArn, call),
  async handle({ FlowArn, VpcInterfaceName }, call, { lifecycle }) {
    await lifecycle.change(
      FlowArn,
      call,
      (document) => {
        const { vpcInterfaces, sources, outputs } = document;
        if (!vpcInterfaces.some(({ Name }) => Name === VpcInterfaceName)) {
          throw notFound('The flow has no such VPC interface.');
        }
        const user =
          sources.find(({ settings }) => settings.VpcInterfaceName === VpcInterfaceName) ??
          outputs.find(({ settings }) => settings.VpcInterfaceAttachment?.VpcInterfaceName === VpcInterfaceName);
        if (user !== undefined)
          throw badRequest(`The VPC interface ${VpcInterfaceName ?? ''} is used by ${user.name}.`);
        return { ...document, vpcInterfaces: vpcInterfaces.filter(({ Name }) => Name !== VpcInterfaceName) };
      },
      false,
    );
    return { FlowArn, VpcInterfaceName, NonDeletedNetworkInterfaceIds: [] };
  },
});
