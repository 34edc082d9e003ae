import {
  DeleteImportedKeyMaterial$,
  type DeleteImportedKeyMaterialRequest,
  type DeleteImportedKeyMaterialResponse,
  GetParametersForImport$,
  type GetParametersForImportRequest,
  type GetParametersForImportResponse,
  ImportKeyMaterial$,
  type ImportKeyMaterialRequest,
  type ImportKeyMaterialResponse,
} from '@aws-sdk/client-kms';
import { DecryptionError } from '#crypto/decryption-error.ts';
import { unwrapKey } from '#crypto/unwrap-key.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { checkWrapping } from '../domain/import-wrapping.ts';
import { importedMaterial, importedMaterialId } from '../domain/imported-material.ts';
import { type LocatedKey, stateProblem } from '../domain/key-locator.ts';
import { invalidCiphertext, invalidState, keyNotFound, notFound, unsupported, validation } from '../errors.ts';
import { currentKey, materialsOf } from '../materials/history.ts';
import { type ImportTerms, removeImported, storeImported } from '../materials/imports.ts';
import type { KeyRecord, KmsTransaction } from '../tables.ts';
import { authorizeOnKey } from './authorize-on-key.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const MAX_VALIDITY_MS = 365 * 86_400_000;

export const getParametersForImport = operation<
  KmsContext,
  GetParametersForImportRequest,
  GetParametersForImportResponse
>(GetParametersForImport$, {
  authorize: authorizeOnKey<GetParametersForImportRequest>('kms:GetParametersForImport', (input) => ({
    'kms:WrappingAlgorithm': input.WrappingAlgorithm,
    'kms:WrappingKeySpec': input.WrappingKeySpec,
  })),
  async handle(input, call, kms) {
    const located = await locateExternal(input.KeyId, call, kms, 'kms:GetParametersForImport');
    requireImportable(located.key, located.arn);
    const { WrappingAlgorithm, WrappingKeySpec } = input;
    if (WrappingAlgorithm === undefined || WrappingKeySpec === undefined) throw validation('A wrapping is required.');
    const wrapping = checkWrapping(WrappingAlgorithm, WrappingKeySpec, located.key.spec);
    const { token, publicKey, validTo } = await kms.importKeys.create(located.key, wrapping, call.now);
    return { KeyId: located.arn, ImportToken: token, PublicKey: publicKey, ParametersValidTo: new Date(validTo) };
  },
});

export const importKeyMaterial = operation<KmsContext, ImportKeyMaterialRequest, ImportKeyMaterialResponse>(
  ImportKeyMaterial$,
  {
    secretMembers: ['ImportToken', 'EncryptedKeyMaterial'],
    authorize: authorizeOnKey<ImportKeyMaterialRequest>('kms:ImportKeyMaterial', (input) => ({
      'kms:ExpirationModel': input.ExpirationModel ?? 'KEY_MATERIAL_EXPIRES',
      'kms:ValidTo': input.ValidTo?.toISOString(),
    })),
    async handle(input, call, kms) {
      const { key, arn } = await locateExternal(input.KeyId, call, kms, 'kms:ImportKeyMaterial');
      requireImportable(key, arn);
      const terms = readTerms(input, key, call.now);
      const record = await openImport(input, key, call, kms);
      await kms.store.write(async (queries) => {
        const fresh = await requireCurrent(queries, key, arn);
        requireImportable(fresh, arn);
        await storeImported(queries, fresh, arn, record, terms, call.now);
      });
      return { KeyId: arn, ...(key.spec === 'SYMMETRIC_DEFAULT' && { KeyMaterialId: record.id }) };
    },
  },
);

export const deleteImportedKeyMaterial = operation<
  KmsContext,
  DeleteImportedKeyMaterialRequest,
  DeleteImportedKeyMaterialResponse
>(DeleteImportedKeyMaterial$, {
  authorize: authorizeOnKey('kms:DeleteImportedKeyMaterial'),
  async handle(input, call, kms) {
    const { key, arn } = await locateExternal(input.KeyId, call, kms, 'kms:DeleteImportedKeyMaterial');
    const removed = await kms.store.write(async (queries) => {
      const fresh = await requireCurrent(queries, key, arn);
      const id = input.KeyMaterialId ?? fresh.material_id;
      const material = (await materialsOf(queries, fresh, call.now)).find((one) => one.id === id);
      if (material !== undefined) await removeImported(queries, fresh, material);
      else if (input.KeyMaterialId !== undefined) throw notFound(`Key material ${id} of ${arn} does not exist`);
      return material?.id;
    });
    kms.materials.forget(key);
    return { KeyId: arn, ...(removed !== undefined && { KeyMaterialId: removed }) };
  },
});

/** @throws ServiceError UnsupportedOperationException for keys whose material is not imported */
async function locateExternal(
  keyId: string | undefined,
  call: Call,
  kms: KmsContext,
  action: string,
): Promise<LocatedKey> {
  const located = await locateByKeyId(keyId, call, kms, action);
  const { key, arn } = located;
  if (key.origin !== 'EXTERNAL')
    throw unsupported(`${arn} origin is ${key.origin} which is not valid for this operation.`);
  return located;
}

/** @throws ServiceError KMSInvalidStateException for keys that are on their way out */
function requireImportable(key: KeyRecord, arn: string): void {
  const problem = key.state === 'PendingImport' ? undefined : stateProblem(key.state);
  if (problem !== undefined) throw invalidState(arn, problem);
}

/** @throws ServiceError NotFoundException for a key that was destroyed meanwhile */
async function requireCurrent(queries: KmsTransaction, key: KeyRecord, arn: string): Promise<KeyRecord> {
  const fresh = await currentKey(queries, key);
  if (fresh === undefined) throw keyNotFound(arn);
  return fresh;
}

/** @throws ServiceError ValidationException, UnsupportedOperationException */
function readTerms(input: ImportKeyMaterialRequest, key: KeyRecord, now: number): ImportTerms {
  const { ImportType, KeyMaterialDescription, KeyMaterialId, ValidTo } = input;
  const isAboutSeveral = ImportType ?? KeyMaterialDescription ?? KeyMaterialId;
  if (key.spec !== 'SYMMETRIC_DEFAULT' && isAboutSeveral !== undefined) {
    throw unsupported('ImportType, KeyMaterialDescription and KeyMaterialId are for symmetric encryption keys alone.');
  }
  if (ImportType === 'NEW_KEY_MATERIAL' && KeyMaterialId !== undefined) {
    throw validation('KeyMaterialId cannot be specified with ImportType NEW_KEY_MATERIAL.');
  }
  const expirationModel = input.ExpirationModel ?? 'KEY_MATERIAL_EXPIRES';
  if (expirationModel === 'KEY_MATERIAL_EXPIRES') checkValidTo(ValidTo, now);
  else if (ValidTo !== undefined) {
    throw validation('ValidTo must not be specified when ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE.');
  }
  return {
    expirationModel,
    validTo: ValidTo?.getTime() ?? null,
    type: ImportType,
    description: KeyMaterialDescription,
    materialId: KeyMaterialId,
  };
}

function checkValidTo(validTo: Date | undefined, now: number): void {
  if (validTo === undefined)
    throw validation('A ValidTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES.');
  if (validTo.getTime() <= now) throw validation('ValidTo must be in the future.');
  if (validTo.getTime() > now + MAX_VALIDITY_MS) throw validation('ValidTo must be at most 365 days from now.');
}

/** Unwraps what was sent, and seals it for storage. */
async function openImport(input: ImportKeyMaterialRequest, key: KeyRecord, call: Call, kms: KmsContext) {
  const { algorithm, privateKey } = await kms.importKeys.open(input.ImportToken ?? Buffer.of(), key, call.now);
  let bytes: Buffer;
  try {
    bytes = unwrapKey(algorithm, privateKey, input.EncryptedKeyMaterial ?? Buffer.of());
  } catch (error) {
    if (error instanceof DecryptionError) throw invalidCiphertext();
    throw error;
  }
  try {
    const material = importedMaterial(key.spec, bytes);
    return kms.materials.seal(key, material, call.now, importedMaterialId(key.id, material));
  } finally {
    bytes.fill(0);
  }
}
