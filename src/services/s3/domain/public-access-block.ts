import type { PublicAccessBlockConfiguration } from '@aws-sdk/client-s3';
import { malformedXml } from '../errors.ts';

/** What of a bucket, or of all buckets of an account, the public does not get, whatever policies and ACLs say. */
export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

/** What is not said is off, as in AWS. @throws ServiceError MalformedXML */
export function readPublicAccessBlock(given: PublicAccessBlockConfiguration | undefined): PublicAccessBlock {
  if (given === undefined) throw malformedXml();
  return {
    BlockPublicAcls: given.BlockPublicAcls === true,
    IgnorePublicAcls: given.IgnorePublicAcls === true,
    BlockPublicPolicy: given.BlockPublicPolicy === true,
    RestrictPublicBuckets: given.RestrictPublicBuckets === true,
  };
}

/** The stricter of the two in each respect. */
export function strictest(...blocks: readonly (PublicAccessBlock | undefined)[]): PublicAccessBlock {
  const any = (name: keyof PublicAccessBlock): boolean => blocks.some((block) => block?.[name] === true);
  return {
    BlockPublicAcls: any('BlockPublicAcls'),
    IgnorePublicAcls: any('IgnorePublicAcls'),
    BlockPublicPolicy: any('BlockPublicPolicy'),
    RestrictPublicBuckets: any('RestrictPublicBuckets'),
  };
}
