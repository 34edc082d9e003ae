import { CreateInstanceProfileCommand, GetInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam';

/** A table of IAM, which row of it is changed, and what believes that row. */
interface IamCase {
  readonly table: string;
  readonly where: string;
  /** By these columns the row is found: with others it is as if it were not there. */
  readonly lookedUpBy: readonly string[];
  readonly read: (iam: IAMClient) => Promise<unknown>;
}

/** Makes a row of each. The user `ann` is there already. */
export async function furnishIamEntities(iam: IAMClient): Promise<void> {
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'profile' }));
}

export const iamEntityCases: readonly IamCase[] = [
  {
    table: 'iam_instance_profile',
    where: '1',
    lookedUpBy: ['account', 'name_key'],
    read: (iam) => iam.send(new GetInstanceProfileCommand({ InstanceProfileName: 'profile' })),
  },
];
