import type { VpcInterface } from '@aws-sdk/client-mediaconnect';
import type { VpcInterfaceRequest } from '../api-types.ts';
import { badRequest, notCarriedOut } from '../errors.ts';
import { checkRoleArn, type KeyScope } from './encryption-rules.ts';
import { checkName } from './value-rules.ts';

const MAX_OF_TYPE = { ena: 2, efa: 1 } as const;

/**
 * VPC interfaces are kept and told; there are no networks to make them in.
 *
 * @throws ServiceError BadRequestException
 */
export function withVpcInterfaces(
  before: readonly VpcInterface[],
  added: readonly VpcInterfaceRequest[],
  scope: KeyScope,
): VpcInterface[] {
  const result = [...before];
  for (const given of added) {
    const name = checkName(given.Name ?? '', 128, 'VpcInterfaces: Name');
    const what = `VPC interface ${name}`;
    if (result.some(({ Name }) => Name === name)) throw badRequest(`${what}: the name is there already.`);
    const { SecurityGroupIds = [], SubnetId = '', VpcInterfaceTags = {} } = given;
    if (Object.keys(VpcInterfaceTags).length > 0) {
      throw notCarriedOut(`${what}: VpcInterfaceTags`, 'VPC interfaces are only kept and told.');
    }
    if (SecurityGroupIds.length === 0 || !SecurityGroupIds.every((id) => /^sg-[0-9a-z]{1,32}$/.test(id))) {
      throw badRequest(`${what}: SecurityGroupIds must be ids of security groups, such as sg-0123456789abcdef0.`);
    }
    if (!/^subnet-[0-9a-z]{1,32}$/.test(SubnetId)) {
      throw badRequest(`${what}: SubnetId must be the id of a subnet, such as subnet-0123456789abcdef0.`);
    }
    result.push({
      Name: name,
      RoleArn: checkRoleArn(given.RoleArn, scope, `${what}: RoleArn`),
      SecurityGroupIds: [...SecurityGroupIds],
      SubnetId,
      NetworkInterfaceType: given.NetworkInterfaceType ?? 'ena',
      NetworkInterfaceIds: [],
    });
  }
  for (const [type, maximum] of Object.entries(MAX_OF_TYPE)) {
    if (result.filter(({ NetworkInterfaceType }) => NetworkInterfaceType === type).length > maximum) {
      throw badRequest(`A flow has at most ${maximum} VPC interface(s) of the type ${type}.`);
    }
  }
  return result;
}
