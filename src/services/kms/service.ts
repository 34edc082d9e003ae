import * as sdk from '@aws-sdk/client-kms';
import { operationSchemasOf, type Service } from '#kernel/service.ts';
import type { KmsContext } from './context.ts';
import { kmsErrors } from './errors.ts';
import { constraints } from './generated/constraints.ts';
import { newerConstraints } from './newer-constraints.ts';
import { createAlias, deleteAlias, listAliases, updateAlias } from './operations/aliases.ts';
import { createGrant } from './operations/create-grant.ts';
import { createKey } from './operations/create-key.ts';
import {
  connectCustomKeyStore,
  deleteCustomKeyStore,
  describeCustomKeyStores,
  disconnectCustomKeyStore,
} from './operations/custom-key-stores.ts';
import { createCustomKeyStore, updateCustomKeyStore } from './operations/custom-key-store-settings.ts';
import { decrypt } from './operations/decrypt.ts';
import { deriveSharedSecret } from './operations/derive-shared-secret.ts';
import { describeKey } from './operations/describe-key.ts';
import { decapsulate, encapsulate } from './operations/encapsulate.ts';
import { encrypt } from './operations/encrypt.ts';
import { retireGrant, revokeGrant } from './operations/end-grants.ts';
import { generateDataKey, generateDataKeyWithoutPlaintext } from './operations/generate-data-key.ts';
import { generateDataKeyPair, generateDataKeyPairWithoutPlaintext } from './operations/generate-data-key-pair.ts';
import { generateRandom } from './operations/generate-random.ts';
import { getKeyLastUsage } from './operations/get-key-last-usage.ts';
import { getPublicKey } from './operations/get-public-key.ts';
import { takingGrantTokens } from './operations/grant-tokens.ts';
import { getKeyPolicy, listKeyPolicies, putKeyPolicy } from './operations/key-policy.ts';
import {
  cancelKeyDeletion,
  disableKey,
  enableKey,
  scheduleKeyDeletion,
  updateKeyDescription,
} from './operations/key-state.ts';
import { listGrants, listRetirableGrants } from './operations/list-grants.ts';
import { deleteImportedKeyMaterial, getParametersForImport, importKeyMaterial } from './operations/import.ts';
import { listKeys } from './operations/list-keys.ts';
import { generateMac, verifyMac } from './operations/mac.ts';
import { replicateKey, updatePrimaryRegion } from './operations/multi-region.ts';
import { reEncrypt } from './operations/re-encrypt.ts';
import {
  disableKeyRotation,
  enableKeyRotation,
  getKeyRotationStatus,
  listKeyRotations,
  rotateKeyOnDemand,
} from './operations/rotation.ts';
import { sign, verify } from './operations/sign.ts';
import { listResourceTags, tagResource, untagResource } from './operations/tags.ts';

export function kmsService(context: KmsContext): Service<KmsContext> {
  return {
    name: 'kms',
    eventSource: 'kms.amazonaws.com',
    signingNames: ['kms'],
    protocol: 'awsJson1_1',
    targetPrefix: 'TrentService',
    schemas: operationSchemasOf(sdk),
    operations: [
      createKey,
      describeKey,
      listKeys,
      createAlias,
      updateAlias,
      deleteAlias,
      listAliases,
      getKeyPolicy,
      putKeyPolicy,
      listKeyPolicies,
      encrypt,
      decrypt,
      reEncrypt,
      generateDataKey,
      generateDataKeyWithoutPlaintext,
      generateDataKeyPair,
      generateDataKeyPairWithoutPlaintext,
      generateRandom,
      sign,
      verify,
      generateMac,
      verifyMac,
      getPublicKey,
      getKeyLastUsage,
      deriveSharedSecret,
      encapsulate,
      decapsulate,
      enableKey,
      disableKey,
      scheduleKeyDeletion,
      cancelKeyDeletion,
      updateKeyDescription,
      enableKeyRotation,
      disableKeyRotation,
      getKeyRotationStatus,
      rotateKeyOnDemand,
      listKeyRotations,
      getParametersForImport,
      importKeyMaterial,
      deleteImportedKeyMaterial,
      replicateKey,
      updatePrimaryRegion,
      tagResource,
      untagResource,
      listResourceTags,
      createGrant,
      listGrants,
      listRetirableGrants,
      retireGrant,
      revokeGrant,
      createCustomKeyStore,
      describeCustomKeyStores,
      updateCustomKeyStore,
      deleteCustomKeyStore,
      connectCustomKeyStore,
      disconnectCustomKeyStore,
    ].map(takingGrantTokens),
    context,
    constraints: { ...constraints, ...newerConstraints },
    errors: kmsErrors,
  };
}
