import type {
  EncapsulationAlgorithmSpec,
  EncryptionAlgorithmSpec,
  KeyAgreementAlgorithmSpec,
  KeySpec,
  KeyUsageType,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';

/** The specs that this installation makes keys of: SM2 exists in AWS's Regions in China alone. */
export type MadeKeySpec = Exclude<KeySpec, 'SM2'>;

/** The specs of symmetric keys, whose material is bytes. */
export type SymmetricSpec = Extract<MadeKeySpec, 'SYMMETRIC_DEFAULT' | `HMAC_${string}`>;
/** The specs of key pairs. */
export type PairSpec = Exclude<MadeKeySpec, SymmetricSpec>;

/** What a key can do for each usage that its spec allows; a usage that is absent is not allowed. */
export interface SpecAlgorithms {
  readonly ENCRYPT_DECRYPT?: readonly EncryptionAlgorithmSpec[];
  readonly SIGN_VERIFY?: readonly SigningAlgorithmSpec[];
  readonly GENERATE_VERIFY_MAC?: readonly MacAlgorithmSpec[];
  readonly KEY_AGREEMENT?: readonly KeyAgreementAlgorithmSpec[];
  readonly ENCAPSULATE_DECAPSULATE?: readonly EncapsulationAlgorithmSpec[];
}

const RSA: SpecAlgorithms = {
  ENCRYPT_DECRYPT: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  SIGN_VERIFY: [
    'RSASSA_PKCS1_V1_5_SHA_256',
    'RSASSA_PKCS1_V1_5_SHA_384',
    'RSASSA_PKCS1_V1_5_SHA_512',
    'RSASSA_PSS_SHA_256',
    'RSASSA_PSS_SHA_384',
    'RSASSA_PSS_SHA_512',
  ],
};
const ML_DSA: SpecAlgorithms = { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] };
const ML_KEM: SpecAlgorithms = { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] };

const SPECS: Readonly<Record<MadeKeySpec, SpecAlgorithms>> = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: { SIGN_VERIFY: ['ECDSA_SHA_256'], KEY_AGREEMENT: ['ECDH'] },
  ECC_NIST_P384: { SIGN_VERIFY: ['ECDSA_SHA_384'], KEY_AGREEMENT: ['ECDH'] },
  ECC_NIST_P521: { SIGN_VERIFY: ['ECDSA_SHA_512'], KEY_AGREEMENT: ['ECDH'] },
  ECC_SECG_P256K1: { SIGN_VERIFY: ['ECDSA_SHA_256'] },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  HMAC_224: { GENERATE_VERIFY_MAC: ['HMAC_SHA_224'] },
  HMAC_256: { GENERATE_VERIFY_MAC: ['HMAC_SHA_256'] },
  HMAC_384: { GENERATE_VERIFY_MAC: ['HMAC_SHA_384'] },
  HMAC_512: { GENERATE_VERIFY_MAC: ['HMAC_SHA_512'] },
  ML_DSA_44: ML_DSA,
  ML_DSA_65: ML_DSA,
  ML_DSA_87: ML_DSA,
  ML_KEM_512: ML_KEM,
  ML_KEM_768: ML_KEM,
  ML_KEM_1024: ML_KEM,
};

/** @returns `undefined` for a spec that keys are not made of here */
export function algorithmsOf(spec: KeySpec): SpecAlgorithms | undefined {
  return isMadeSpec(spec) ? SPECS[spec] : undefined;
}

export function isPairSpec(spec: KeySpec): spec is PairSpec {
  return isMadeSpec(spec) && spec !== 'SYMMETRIC_DEFAULT' && !spec.startsWith('HMAC_');
}

export function isMadeSpec(spec: KeySpec): spec is MadeKeySpec {
  return Object.hasOwn(SPECS, spec);
}

/** The algorithms of one key, all of its one usage. */
export function keyAlgorithms(key: { readonly spec: KeySpec; readonly usage: KeyUsageType }): readonly string[] {
  return algorithmsOf(key.spec)?.[key.usage] ?? [];
}
