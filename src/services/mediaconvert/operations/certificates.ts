import {
  AssociateCertificate$,
  type AssociateCertificateRequest,
  type AssociateCertificateResponse,
  DisassociateCertificate$,
  type DisassociateCertificateRequest,
  type DisassociateCertificateResponse,
} from '@aws-sdk/client-mediaconvert';
import { parseArn } from '#kernel/arn.ts';
import { operation } from '#kernel/operation.ts';
import type { MediaconvertContext } from '../context.ts';
import { arnOf } from '../domain/names.ts';
import { newResource } from '../domain/resource-document.ts';
import { scopeOf } from '../domain/scope.ts';
import { badRequest, notFound, quotaExceeded } from '../errors.ts';
import type { JobScope } from '../store.ts';

const MAX_CERTIFICATES = 100;

/** Keeps that MediaConvert may use a certificate; one that is associated already stays so. */
export const associateCertificate = operation<
  MediaconvertContext,
  AssociateCertificateRequest,
  AssociateCertificateResponse
>(AssociateCertificate$, {
  authorize: ({ Arn = '' }, call) => [
    { action: 'mediaconvert:AssociateCertificate', resource: certificateArn(Arn, scopeOf(call)) },
  ],
  async handle({ Arn = '' }, call, { store, rootKey, clock }) {
    const scope = scopeOf(call);
    const arn = parseArn(Arn);
    const isFit =
      arn?.service === 'acm' &&
      arn.account === scope.account &&
      arn.region === scope.region &&
      /^certificate\/[\w-]+$/.test(arn.resource);
    if (!isFit) throw badRequest('/arn: Should be the ARN of an ACM certificate of this account and Region');
    const record = newResource(rootKey, scope, { kind: 'certificate', name: Arn, document: {}, now: clock.now() });
    const obstacle = await store.resources.add(record, MAX_CERTIFICATES);
    if (obstacle === 'full') throw quotaExceeded(`At most ${MAX_CERTIFICATES} certificates can be associated.`);
    return {};
  },
});

export const disassociateCertificate = operation<
  MediaconvertContext,
  DisassociateCertificateRequest,
  DisassociateCertificateResponse
>(DisassociateCertificate$, {
  authorize: ({ Arn = '' }, call) => [
    { action: 'mediaconvert:DisassociateCertificate', resource: certificateArn(Arn, scopeOf(call)) },
  ],
  async handle({ Arn = '' }, call, { store }) {
    const isRemoved = await store.resources.remove(scopeOf(call), 'certificate', Arn);
    if (!isRemoved) throw notFound(`The certificate ${Arn} is not associated.`);
    return {};
  },
});

/** MediaConvert's own ARN for a certificate, by which permissions are given. */
function certificateArn(given: string, scope: JobScope): string {
  return arnOf(scope, 'certificates', given);
}
