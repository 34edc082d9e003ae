import type { StorageClass } from '@aws-sdk/client-s3';
import { invalidRedirectLocation, notImplemented } from '../errors.ts';

/** Names of places that AWS has: what is stored under one is at hand at once, as in AWS. */
const AT_HAND = ['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'];

const LONGEST_REDIRECT = 2048;

/** What of an object is neither its content nor its headers, and is not copied with it. */
export interface PlacementFacts {
  /** None for STANDARD. */
  readonly storageClass?: StorageClass;
  /** Where a website sends those who ask for the object. */
  readonly redirect?: string;
}

interface PlacementMembers {
  readonly StorageClass?: StorageClass | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

/** The classes whose objects must be restored before they can be read are refused: they would be read at once here. */
export function placementOf(input: PlacementMembers): PlacementFacts {
  const { StorageClass: storageClass, WebsiteRedirectLocation: redirect } = input;
  if (storageClass !== undefined && !AT_HAND.includes(storageClass)) {
    throw notImplemented(`x-amz-storage-class: ${storageClass}`);
  }
  if (
    redirect !== undefined &&
    (!/^(https?:\/\/|\/)/.test(redirect) || Buffer.byteLength(redirect) > LONGEST_REDIRECT)
  ) {
    throw invalidRedirectLocation();
  }
  return {
    ...(storageClass !== undefined && storageClass !== 'STANDARD' && { storageClass }),
    ...(redirect !== undefined && { redirect }),
  };
}

/** How answers tell of it: STANDARD is not told, as in AWS. */
export function placementMembers({ storageClass, redirect }: PlacementFacts) {
  return {
    ...(storageClass !== undefined && { StorageClass: storageClass }),
    ...(redirect !== undefined && { WebsiteRedirectLocation: redirect }),
  };
}
