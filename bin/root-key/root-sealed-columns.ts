import { accessKeyColumn } from '#services/iam/domain/access-keys.ts';
import { privateKeyColumn } from '#services/iam/domain/certificates.ts';
import { mfaSeedColumn } from '#services/iam/domain/mfa-devices.ts';
import { passwordColumn } from '#services/iam/domain/passwords.ts';
import { importKeyColumn } from '#services/kms/domain/import-keys.ts';
import { materialColumn } from '#services/kms/domain/key-materials.ts';
import { proxyCredentialColumn } from '#services/kms/xks/key-store-record.ts';
import { jobRequestColumn } from '#services/mediaconvert/domain/job-request.ts';
import { jobSharesColumn } from '#services/mediaconvert/domain/job-share.ts';
import { resourceDocumentColumn } from '#services/mediaconvert/domain/resource-document.ts';
import { masterKeyColumn } from '#services/s3/keys/master-keys.ts';
import { fingerprintColumn } from '#services/secrets-manager/values.ts';
import type { RootSealedColumn } from '#storage/root-sealed-column.ts';

/**
 * Everything that is stored sealed under the root key.
 *
 * INVARIANT: a change of the root key finds by this list what it has to seal anew. What is not in it keeps the change
 * from its end (`findSealedElsewhere`), so that nothing is lost with the former key.
 */
export const rootSealedColumns: readonly RootSealedColumn[] = [
  accessKeyColumn,
  mfaSeedColumn,
  passwordColumn,
  privateKeyColumn,
  materialColumn,
  importKeyColumn,
  proxyCredentialColumn,
  masterKeyColumn,
  jobRequestColumn,
  jobSharesColumn,
  resourceDocumentColumn,
  fingerprintColumn,
];
