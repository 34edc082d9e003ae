import type { AlgorithmSpec, KeySpec, WrappingKeySpec } from '@aws-sdk/client-kms';
import { isWrappingAlgorithm, type WrappingAlgorithm } from '#crypto/unwrap-key.ts';
import { unsupported } from '../errors.ts';

const MODULUS_LENGTHS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const;

/** What a wrapping key is asked for with, checked. */
export interface Wrapping {
  readonly algorithm: WrappingAlgorithm;
  /** Bits. */
  readonly modulusLength: number;
}

/** @throws ServiceError UnsupportedOperationException for what AWS does not take, or takes in China alone */
export function checkWrapping(algorithm: AlgorithmSpec, keySpec: WrappingKeySpec, material: KeySpec): Wrapping {
  if (algorithm === 'RSAES_PKCS1_V1_5') {
    throw unsupported('WrappingAlgorithm RSAES_PKCS1_V1_5 is not supported: AWS has withdrawn it since October 2023.');
  }
  if (keySpec === 'SM2' || algorithm === 'SM2PKE' || !isWrappingAlgorithm(algorithm)) {
    throw unsupported('SM2 and SM2PKE are not supported: they are of the AWS Regions in China.');
  }
  const isDirect = algorithm.startsWith('RSAES_');
  if (isDirect && (material.startsWith('RSA_') || material.startsWith('ML_'))) {
    throw unsupported(
      `WrappingAlgorithm ${algorithm} cannot wrap ${material} key material: use RSA_AES_KEY_WRAP_SHA_256.`,
    );
  }
  if (isDirect && keySpec === 'RSA_2048' && material === 'ECC_NIST_P521') {
    throw unsupported(`WrappingKeySpec RSA_2048 with ${algorithm} cannot wrap ECC_NIST_P521 key material.`);
  }
  return { algorithm, modulusLength: MODULUS_LENGTHS[keySpec] };
}
