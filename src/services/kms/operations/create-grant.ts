import { createHash } from 'node:crypto';
import { CreateGrant$, type CreateGrantRequest, type CreateGrantResponse } from '@aws-sdk/client-kms';
import type { GrantTerms } from '#kernel/key-grant.ts';
import { type Call, type ConditionContext, operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { checkGrantTerms, readGrantTerms } from '../domain/grant-terms.ts';
import { makeGrantToken, TOKEN_KEY_LENGTH } from '../domain/grant-token.ts';
import { keyAccess } from '../domain/key-access.ts';
import { callerAccount, type LocatedKey, requireEnabled } from '../domain/key-locator.ts';
import { invalidArn, limitExceeded, validation } from '../errors.ts';
import { countGrants, type GrantRecord } from '../grant-store.ts';
import { endDryRun } from './crypto-parameters.ts';
import { isForService } from './grant-requests.ts';
import { locateByKeyId } from './locate-by-key-id.ts';

const ACTION = 'kms:CreateGrant';
/** AWS's quota (KMS developer guide, "Resource quotas"). */
const MAX_GRANTS_OF_KEY = 50_000;
const NONCE_LENGTH = 16;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/;

export const createGrant = operation<KmsContext, CreateGrantRequest, CreateGrantResponse>(CreateGrant$, {
  async authorize(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, ACTION);
    const terms = readGrantTerms(input);
    const { encryptionContextEquals, encryptionContextSubset } = terms.constraints;
    const encryptionContext = encryptionContextEquals ?? encryptionContextSubset;
    const context = { ...isForService(call), ...grantKeys(input, terms) };
    return [keyAccess(call, located, ACTION, { encryptionContext, context, child: terms })];
  },
  async handle(input, call, kms) {
    const located = await locateByKeyId(input.KeyId, call, kms, ACTION);
    const terms = readGrantTerms(input);
    checkGrantTerms(terms, located.key);
    const principals = await findPrincipals(input, kms);
    // A key whose key store is not connected can have grants (KMS developer guide, "Key states").
    if (located.key.state !== 'Unavailable') requireEnabled(located);
    endDryRun(input);
    const issuer = callerAccount(call.caller, ACTION);
    const grant = await storeGrant({ ...principals, issuer, terms, name: input.Name ?? null }, located, call, kms);
    call.audit.details['grantId'] = grant.id;
    const nonce = kms.randomness.bytes(NONCE_LENGTH);
    return { GrantId: grant.id, GrantToken: makeGrantToken(grant.id, grant.token_key, nonce) };
  },
});

type Principals = Pick<GrantRecord, 'grantee' | 'grantee_id' | 'retiring' | 'retiring_id'>;

interface NewGrant extends Principals, Pick<GrantRecord, 'issuer' | 'name'> {
  readonly terms: GrantTerms;
}

function grantKeys(input: CreateGrantRequest, { operations, constraints }: GrantTerms): ConditionContext {
  const isEqual = constraints.encryptionContextEquals !== undefined;
  const isSubset = constraints.encryptionContextSubset !== undefined;
  return {
    'kms:GrantOperations': operations,
    'kms:GranteePrincipal': input.GranteePrincipal,
    'kms:GranteeServicePrincipal': input.GranteeServicePrincipal,
    'kms:RetiringPrincipal': input.RetiringPrincipal,
    'kms:RetiringServicePrincipal': input.RetiringServicePrincipal,
    'kms:GrantConstraintType': isEqual ? 'EncryptionContextEquals' : isSubset ? 'EncryptionContextSubset' : undefined,
    'kms:GrantConstraintSourceArn': constraints.sourceArn,
  };
}

/** @throws ServiceError ValidationException or InvalidArnException */
async function findPrincipals(input: CreateGrantRequest, kms: KmsContext): Promise<Principals> {
  const { GranteePrincipal, GranteeServicePrincipal, RetiringPrincipal, RetiringServicePrincipal } = input;
  if ((GranteePrincipal === undefined) === (GranteeServicePrincipal === undefined)) {
    throw validation('Specify either GranteePrincipal or GranteeServicePrincipal, but not both.');
  }
  if (RetiringPrincipal !== undefined && RetiringServicePrincipal !== undefined) {
    throw validation('Specify either RetiringPrincipal or RetiringServicePrincipal, but not both.');
  }
  const retiringName = RetiringPrincipal ?? RetiringServicePrincipal;
  if (GranteeServicePrincipal !== undefined) {
    if (input.Constraints?.SourceArn === undefined) {
      throw validation('A SourceArn grant constraint is required with GranteeServicePrincipal.');
    }
    if (retiringName === undefined) {
      throw validation('RetiringPrincipal or RetiringServicePrincipal is required with GranteeServicePrincipal.');
    }
  }
  const grantee = await findPrincipal(GranteePrincipal, GranteeServicePrincipal, kms);
  const retiring =
    retiringName === undefined ? undefined : await findPrincipal(RetiringPrincipal, RetiringServicePrincipal, kms);
  return {
    grantee: grantee.name,
    grantee_id: grantee.id,
    retiring: retiring?.name ?? null,
    retiring_id: retiring?.id ?? null,
  };
}

async function findPrincipal(
  arn: string | undefined,
  service: string | undefined,
  kms: KmsContext,
): Promise<{ readonly name: string; readonly id: string | null }> {
  if (arn === undefined) {
    if (service === undefined || !SERVICE.test(service)) throw validation(`${service} is not a service principal.`);
    return { name: service, id: null };
  }
  const found = await kms.principals.findPrincipal(arn);
  if (found === undefined) throw invalidArn(`ARN does not refer to a valid principal: ${arn}`);
  return { name: arn, id: found.uniqueId ?? null };
}

/** Makes a grant, or finds the one that the same request has made before. */
async function storeGrant(
  { terms, ...rest }: NewGrant,
  { key }: LocatedKey,
  call: Call,
  kms: KmsContext,
): Promise<GrantRecord> {
  const grant: GrantRecord = {
    ...rest,
    region: key.region,
    id: kms.randomness.bytes(32).toString('hex'),
    key_id: key.id,
    account: key.account,
    operations: terms.operations.join(' '),
    constraints: JSON.stringify(terms.constraints),
    retry: rest.name === null ? null : retryDigest({ ...rest, terms }),
    token_key: kms.randomness.bytes(TOKEN_KEY_LENGTH),
    created_at: call.now,
  };
  return await kms.store.grants.write(key, async (transaction) => {
    if (grant.retry !== null) {
      const earlier = await transaction
        .selectFrom('kms_grant')
        .selectAll()
        .where('region', '=', key.region)
        .where('key_id', '=', key.id)
        .where('retry', '=', grant.retry)
        .executeTakeFirst();
      if (earlier !== undefined) return earlier;
    }
    if ((await countGrants(transaction, key)) >= MAX_GRANTS_OF_KEY) {
      throw limitExceeded(`The key has ${MAX_GRANTS_OF_KEY} grants, which is as many as it can have.`);
    }
    await transaction.insertInto('kms_grant').values(grant).execute();
    return grant;
  });
}

/** The same for requests that ask for the same grant by the same name, in whatever order. */
function retryDigest({ name, issuer, grantee, grantee_id, retiring, retiring_id, terms }: NewGrant): string {
  const { encryptionContextEquals, encryptionContextSubset, sourceArn } = terms.constraints;
  const sorted = (pairs: Readonly<Record<string, string>> | undefined) =>
    pairs === undefined ? null : Object.entries(pairs).toSorted(([left], [right]) => (left < right ? -1 : 1));
  const facts = [
    [name, issuer, grantee, grantee_id, retiring, retiring_id, sourceArn ?? null],
    terms.operations.toSorted(),
    sorted(encryptionContextEquals),
    sorted(encryptionContextSubset),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
