import { isIP } from 'node:net';
import { type Caller, accountOf } from '#kernel/caller.ts';
import type { Region } from '#kernel/ids.ts';
import type { AccessRequest, RequestSource } from '#kernel/operation.ts';
import type { RequestContext } from '#policy/condition.ts';
import type { PrincipalPolicies } from './principal-policies.ts';

type Values = Map<string, string | readonly string[]>;

/**
 * The global condition keys of one call, by lower-case name (IAM user guide, "AWS global condition context keys").
 * A key that is not known is absent, so that `Null` and `…IfExists` mean what they say.
 */
export function callContext(
  caller: Caller,
  policies: PrincipalPolicies,
  facts: {
    readonly region: Region;
    readonly now: number;
    readonly source: RequestSource;
    readonly via: readonly string[];
  },
): Values {
  const { source, via } = facts;
  const values: Values = new Map();
  const now = new Date(facts.now);
  values.set('aws:currenttime', now.toISOString().replace(/\.\d{3}Z$/, 'Z'));
  values.set('aws:epochtime', String(Math.floor(facts.now / 1000)));
  values.set('aws:securetransport', String(source.isSecure));
  values.set('aws:requestedregion', facts.region);
  values.set('aws:viaawsservice', String(via.length > 0));
  if (source.userAgent !== '') values.set('aws:useragent', source.userAgent);
  const referer = source.header('referer');
  if (referer !== undefined) values.set('aws:referer', referer);
  // A service that calls in the caller's name hides the caller's address, as it does in AWS.
  if (via.length === 0) {
    // What the platform does by itself comes from no address.
    if (isIP(source.sourceIp) !== 0) values.set('aws:sourceip', source.sourceIp);
  } else {
    const services = via.map((name) => `${name.split('.', 1)[0]}.amazonaws.com`);
    values.set('aws:calledvia', services);
    values.set('aws:calledviafirst', services[0] ?? '');
    values.set('aws:calledvialast', services.at(-1) ?? '');
  }
  addPrincipal(values, caller, policies, facts.now);
  return values;
}

function addPrincipal(values: Values, caller: Caller, policies: PrincipalPolicies, now: number): void {
  if (caller.type === 'anonymous') {
    values.set('aws:principaltype', 'Anonymous');
    values.set('aws:userid', 'anonymous');
    values.set('aws:principalisawsservice', 'false');
    return;
  }
  if (caller.type === 'service') {
    values.set('aws:principalisawsservice', 'true');
    values.set('aws:principalservicename', caller.service);
    values.set('aws:principalservicenameslist', [caller.service]);
    values.set('aws:sourceaccount', caller.sourceAccount);
    values.set('aws:sourcearn', caller.sourceArn);
    return;
  }
  values.set('aws:principalisawsservice', 'false');
  values.set('aws:principalaccount', caller.accountId);
  values.set('aws:userid', caller.principalId);
  values.set('aws:principalarn', caller.type === 'assumed-role' ? caller.roleArn : caller.arn);
  values.set('aws:principaltype', PRINCIPAL_TYPES[caller.type]);
  if (caller.type === 'user') values.set('aws:username', caller.userName);
  for (const [name, value] of Object.entries(policies.principalTags)) {
    values.set(`aws:principaltag/${name.toLowerCase()}`, value);
  }
  const { session } = caller;
  if (session === undefined) return;
  values.set('aws:multifactorauthpresent', String(session.isMfaAuthenticated));
  if (session.isMfaAuthenticated) {
    const since = session.mfaAuthenticatedAt ?? session.issuedAt;
    values.set('aws:multifactorauthage', String(Math.max(0, Math.floor((now - since) / 1000))));
  }
  values.set('aws:tokenissuetime', new Date(session.issuedAt).toISOString().replace(/\.\d{3}Z$/, 'Z'));
  if (session.sourceIdentity !== undefined) values.set('aws:sourceidentity', session.sourceIdentity);
  if (session.federation !== undefined) {
    values.set('aws:federatedprovider', session.federation.provider);
    for (const [name, value] of Object.entries(session.federation.keys)) values.set(name.toLowerCase(), value);
  }
}

const PRINCIPAL_TYPES = {
  root: 'Account',
  user: 'User',
  'assumed-role': 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const;

/** The keys of one question: the call's, the resource's, the request's tags and the service's own. */
export function requestContext(base: RequestContext, request: AccessRequest, caller: Caller): RequestContext {
  const values: Values = new Map(base);
  const owner = request.resourceAccount ?? accountOf(caller);
  if (owner !== undefined) values.set('aws:resourceaccount', owner);
  if (request.identityProvider !== undefined) values.set('aws:federatedprovider', request.identityProvider);
  for (const [name, value] of Object.entries(request.resourceTags ?? {})) {
    values.set(`aws:resourcetag/${name.toLowerCase()}`, value);
  }
  if (request.requestTags !== undefined) {
    const names = Object.keys(request.requestTags);
    for (const name of names) values.set(`aws:requesttag/${name.toLowerCase()}`, request.requestTags[name] ?? '');
    if (names.length > 0) values.set('aws:tagkeys', names);
  }
  for (const [name, value] of Object.entries(request.context ?? {})) {
    if (value !== undefined) values.set(name.toLowerCase(), value);
  }
  return values;
}
