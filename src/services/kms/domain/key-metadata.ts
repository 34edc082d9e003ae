import type { CustomerMasterKeySpec, KeyMetadata } from '@aws-sdk/client-kms';
import type { Region } from '#kernel/ids.ts';
import type { DescribedKey } from '../store.ts';
import type { KeyRecord } from '../tables.ts';
import { keyArn } from './key-identifier.ts';
import { algorithmsOf } from './key-specs.ts';

type Details = Partial<Pick<DescribedKey, 'expiration' | 'external' | 'family'>>;

export function keyMetadata(key: KeyRecord & Details): KeyMetadata {
  return {
    AWSAccountId: key.account,
    KeyId: key.id,
    Arn: keyArn(key),
    CreationDate: new Date(key.created_at),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deletion_at === null ? {} : { DeletionDate: new Date(key.deletion_at) }),
    ...expirationMembers(key.expiration),
    Origin: key.origin,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec as CustomerMasterKeySpec,
    KeySpec: key.spec,
    ...algorithmMembers(key),
    ...multiRegionMembers(key, key.family),
    ...(key.external !== undefined && {
      CustomKeyStoreId: key.external.store.id,
      XksKeyConfiguration: { Id: key.external.xksKeyId },
    }),
    ...(key.spec === 'SYMMETRIC_DEFAULT' && key.origin !== 'EXTERNAL_KEY_STORE' && key.material_id !== ''
      ? { CurrentKeyMaterialId: key.material_id }
      : {}),
  };
}

function multiRegionMembers(key: KeyRecord, family: DescribedKey['family']): Partial<KeyMetadata> {
  if (key.multi_region === null) return { MultiRegion: false };
  const keyIn = (region: Region) => ({ Arn: keyArn({ ...key, region }), Region: region });
  const replicas = (family?.members ?? []).filter(({ type }) => type === 'REPLICA');
  return {
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: key.multi_region,
      PrimaryKey: keyIn(key.primary_region ?? key.region),
      ReplicaKeys: replicas.map(({ region }) => keyIn(region)),
    },
    ...(key.state === 'PendingReplicaDeletion' &&
      typeof family?.waitingDays === 'number' && { PendingDeletionWindowInDays: family.waitingDays }),
  };
}

function expirationMembers(expiration: DescribedKey['expiration']): Partial<KeyMetadata> {
  if (expiration === undefined) return {};
  const { model, validTo } = expiration;
  return { ExpirationModel: model, ...(validTo !== null && { ValidTo: new Date(validTo) }) };
}

/** The algorithms of a key, in the one member that its usage has. */
function algorithmMembers(key: Pick<KeyRecord, 'spec' | 'usage'>): Partial<KeyMetadata> {
  const algorithms = algorithmsOf(key.spec);
  switch (key.usage) {
    case 'ENCRYPT_DECRYPT':
      return { EncryptionAlgorithms: [...(algorithms?.ENCRYPT_DECRYPT ?? [])] };
    case 'SIGN_VERIFY':
      return { SigningAlgorithms: [...(algorithms?.SIGN_VERIFY ?? [])] };
    case 'GENERATE_VERIFY_MAC':
      return { MacAlgorithms: [...(algorithms?.GENERATE_VERIFY_MAC ?? [])] };
    case 'KEY_AGREEMENT':
      return { KeyAgreementAlgorithms: [...(algorithms?.KEY_AGREEMENT ?? [])] };
    case 'ENCAPSULATE_DECAPSULATE':
      return { EncapsulationAlgorithms: [...(algorithms?.ENCAPSULATE_DECAPSULATE ?? [])] };
  }
}
