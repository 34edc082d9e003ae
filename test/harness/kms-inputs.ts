import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';

type Members = Readonly<Record<string, unknown>>;

/** Makes a key with all that belongs to it, and says how KMS's members name it: of all operations, and of single ones. */
export async function populateKms(keys: KMSClient, account: string): Promise<Readonly<Record<string, Members>>> {
  const { KeyMetadata } = await keys.send(new CreateKeyCommand({}));
  const KeyId = KeyMetadata?.KeyId ?? '';
  const sealed = await keys.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
  await keys.send(new CreateAliasCommand({ AliasName: 'alias/existing', TargetKeyId: KeyId }));
  const principal = `arn:aws:iam::${account}:root`;
  const grant = { GranteePrincipal: principal, Operations: ['Decrypt' as const] };
  const { GrantId } = await keys.send(new CreateGrantCommand({ KeyId, ...grant }));
  const { Policy: keyPolicy = '' } = await keys.send(new GetKeyPolicyCommand({ KeyId }));

  return {
    kms: {
      KeyId,
      TargetKeyId: KeyId,
      DestinationKeyId: KeyId,
      AliasName: 'alias/existing',
      Plaintext: Buffer.from('x'),
      Message: Buffer.from('x'),
      SigningAlgorithm: 'ECDSA_SHA_256',
      Signature: Buffer.from('x'),
      MacAlgorithm: 'HMAC_SHA_256',
      Mac: Buffer.from('x'),
      KeyPairSpec: 'ECC_NIST_P256',
      KeyAgreementAlgorithm: 'ECDH',
      PublicKey: Buffer.from('x'),
      EncapsulationAlgorithm: 'ML_KEM',
      SharedSecretCiphertextBlob: Buffer.from('x'),
      CiphertextBlob: sealed.CiphertextBlob,
      Policy: keyPolicy,
      PolicyName: 'default',
      CustomKeyStoreId: 'cks-00000000000000000',
      CustomKeyStoreName: 'store',
      Description: 'changed',
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
      TagKeys: ['a'],
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
      ImportToken: Buffer.from('x'),
      EncryptedKeyMaterial: Buffer.from('x'),
      ReplicaRegion: 'eu-west-1',
      PrimaryRegion: 'eu-west-1',
    },
    'kms:CreateGrant': grant,
    'kms:ListRetirableGrants': { RetiringPrincipal: principal },
    'kms:RetireGrant': { KeyId, GrantId },
    'kms:RevokeGrant': { GrantId },
    'kms:CreateAlias': { AliasName: 'alias/new' },
    // Not required by its schema: a dry run may go without.
    'kms:Decrypt': { CiphertextBlob: sealed.CiphertextBlob },
    'kms:ReEncrypt': { CiphertextBlob: sealed.CiphertextBlob },
    'kms:GenerateDataKey': { KeySpec: 'AES_256' },
    'kms:GenerateRandom': { NumberOfBytes: 8 },
  };
}
