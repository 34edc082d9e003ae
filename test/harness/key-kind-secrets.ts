import { randomBytes } from 'node:crypto';
import {
  CreateKeyCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateMacCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';

/** What may be known to a client, and may lie nowhere. */
interface SecretList {
  addBytes(name: string, bytes: Uint8Array | undefined): Buffer;
}

/**
 * Notes what keys of the other kinds are given and give.
 *
 * @returns calls that are refused: their errors may tell nothing either
 */
export async function useKeyKinds(
  kms: KMSClient,
  symmetric: string,
  secrets: SecretList,
): Promise<(() => Promise<unknown>)[]> {
  const create = async (KeySpec: KeySpec, KeyUsage: KeyUsageType) =>
    (await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))).KeyMetadata?.KeyId;
  const Message = secrets.addBytes('a message to sign', randomBytes(64));
  const mac = {
    KeyId: await create('HMAC_512', 'GENERATE_VERIFY_MAC'),
    MacAlgorithm: 'HMAC_SHA_512',
    Message,
  } as const;
  const Mac = secrets.addBytes('a MAC', (await kms.send(new GenerateMacCommand(mac))).Mac);
  await kms.send(new VerifyMacCommand({ ...mac, Mac }));
  const signing = await create('ECC_NIST_P256', 'SIGN_VERIFY');
  const signed = { KeyId: signing, SigningAlgorithm: 'ECDSA_SHA_256', Message } as const;
  const { Signature } = await kms.send(new SignCommand(signed));
  const pair = await kms.send(new GenerateDataKeyPairCommand({ KeyId: symmetric, KeyPairSpec: 'ECC_NIST_P384' }));
  // The private number of the pair, behind what all pairs of the curve have.
  secrets.addBytes('a private key', pair.PrivateKeyPlaintext?.subarray(35));
  const agree = { KeyId: await create('ECC_NIST_P384', 'KEY_AGREEMENT'), KeyAgreementAlgorithm: 'ECDH' } as const;
  const derived = await kms.send(new DeriveSharedSecretCommand({ ...agree, PublicKey: pair.PublicKey }));
  secrets.addBytes('a derived secret', derived.SharedSecret);
  const kem = {
    KeyId: await create('ML_KEM_512', 'ENCAPSULATE_DECAPSULATE'),
    EncapsulationAlgorithm: 'ML_KEM',
  } as const;
  const made = await kms.send(new EncapsulateCommand(kem));
  secrets.addBytes('an encapsulated secret', made.SharedSecret);
  const { SharedSecretCiphertextBlob } = made;
  await kms.send(new DecapsulateCommand({ ...kem, SharedSecretCiphertextBlob }));
  const rsa = {
    KeyId: await create('RSA_2048', 'ENCRYPT_DECRYPT'),
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  } as const;
  const Plaintext = secrets.addBytes('a plaintext under RSA', randomBytes(64));
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...rsa, Plaintext }));
  await kms.send(new DecryptCommand({ ...rsa, CiphertextBlob }));
  const large = Buffer.concat([Plaintext, Plaintext, Plaintext]);
  return [
    () => kms.send(new VerifyMacCommand({ ...mac, Mac: Mac.subarray(1) })),
    () => kms.send(new SignCommand({ ...signed, MessageType: 'DIGEST' })),
    () => kms.send(new VerifyCommand({ ...signed, Message: Message.subarray(1), Signature })),
    () => kms.send(new DeriveSharedSecretCommand({ ...agree, PublicKey: pair.PrivateKeyPlaintext })),
    () => kms.send(new EncryptCommand({ ...rsa, Plaintext: large })),
    () => kms.send(new DecryptCommand({ ...rsa, CiphertextBlob: Plaintext })),
  ];
}
