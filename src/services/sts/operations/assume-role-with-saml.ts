import {
  AssumeRoleWithSAML$,
  type AssumeRoleWithSAMLRequest,
  type AssumeRoleWithSAMLResponse,
} from '@aws-sdk/client-sts';
import { anonymousCaller, type SessionFacts } from '#kernel/caller.ts';
import { type Call, operation } from '#kernel/operation.ts';
import type { StsContext } from '../context.ts';
import { packedSize } from '../domain/packed-size.ts';
import { durationOf, expiryOf, issueRoleSession, roleAccount, trustQuestions } from '../domain/role-session.ts';
import { sessionPolicies } from '../domain/session-policies.ts';
import { sessionTags } from '../domain/session-tags.ts';
import { accessDenied, expiredToken, invalidIdentityToken } from '../errors.ts';
import { type ResponseAttributes, responseAttributes, samlKeys } from '../saml/response-attributes.ts';
import { type VerifiedResponse, verifyResponse } from '../saml/verify-response.ts';

const ACTION = 'sts:AssumeRoleWithSAML';

interface Assertion {
  readonly provider: string;
  readonly response: VerifiedResponse;
  readonly attributes: ResponseAttributes;
}

/** What a call's response says, once it was verified. */
const verified = new WeakMap<Call, Promise<Assertion>>();

function assertionOf(input: AssumeRoleWithSAMLRequest, call: Call, context: StsContext): Promise<Assertion> {
  let assertion = verified.get(call);
  if (assertion === undefined) {
    assertion = verifyAssertion(input, call, context);
    verified.set(call, assertion);
  }
  return assertion;
}

async function verifyAssertion(input: AssumeRoleWithSAMLRequest, call: Call, { iam }: StsContext): Promise<Assertion> {
  const { RoleArn = '', PrincipalArn = '' } = input;
  // Role and provider are of one account: it is the account that trusts the provider.
  const provider = await iam.identityProviders.findSaml(roleAccount(RoleArn), PrincipalArn, call.now);
  if (provider === undefined) throw invalidIdentityToken("Specified provider doesn't exist");
  const response = verifyResponse(input.SAMLAssertion ?? '', provider, call.now);
  const attributes = responseAttributes(response);
  const isOffered = attributes.roles.some(
    (pair) => pair.length === 2 && pair.includes(RoleArn) && pair.includes(PrincipalArn),
  );
  if (!isOffered) throw notAuthorized();
  return { provider: provider.arn, response, attributes };
}

function notAuthorized(): Error {
  return accessDenied(`Not authorized to perform ${ACTION}`);
}

export const assumeRoleWithSaml = operation<StsContext, AssumeRoleWithSAMLRequest, AssumeRoleWithSAMLResponse>(
  AssumeRoleWithSAML$,
  {
    isReadOnly: true,
    isAuthenticationRequired: false,
    secretMembers: ['SAMLAssertion'],
    async authorize(input, call, context) {
      const { provider, response, attributes } = await assertionOf(input, call, context);
      const { sessionName, tags, transitiveTagKeys, sourceIdentity } = attributes;
      Object.assign(call.audit.details, { identityProvider: provider, subject: response.subject, sessionName });
      const roleArn = input.RoleArn ?? '';
      const wish = {
        roleArn,
        role: await context.iam.findRole(roleArn),
        sessionName,
        tags: sessionTags(tags, transitiveTagKeys, anonymousCaller),
        sourceIdentity,
      };
      return trustQuestions(ACTION, wish, {
        identityProvider: provider,
        context: samlKeys(response, provider),
        // As AWS says it: somebody without credentials here learns nothing of the policy.
        refusal: notAuthorized,
      });
    },
    async handle(input, call, context) {
      const { iam } = context;
      const { provider, response, attributes } = await assertionOf(input, call, context);
      const role = await iam.findRole(input.RoleArn ?? '');
      if (role === undefined) throw notAuthorized();
      const { sourceIdentity } = attributes;
      const { tags, transitiveTagKeys } = sessionTags(attributes.tags, attributes.transitiveTagKeys, anonymousCaller);
      const requested = input.DurationSeconds ?? attributes.sessionDuration;
      const duration = durationOf(requested, role.maxSessionDuration, anonymousCaller);
      const policies = await sessionPolicies(input, role.account, iam);
      const packed = packedSize(policies, tags);
      const facts: SessionFacts = {
        issuedAt: call.now,
        expiresAt: endOf(expiryOf(call.now, duration), response, call.now),
        policies,
        tags,
        transitiveTagKeys,
        isMfaAuthenticated: false,
        federation: { provider, keys: samlKeys(response, provider) },
        ...(sourceIdentity !== undefined && { sourceIdentity }),
      };
      return {
        ...(await issueRoleSession(iam, role, attributes.sessionName, facts)),
        Subject: response.subject,
        SubjectType: response.subjectType,
        Issuer: response.issuer,
        Audience: response.recipient,
        NameQualifier: response.nameQualifier,
        ...(packed !== undefined && { PackedPolicySize: packed }),
        ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
      };
    },
  },
);

/** The provider's own session ends this one too, where it ends earlier. */
function endOf(asked: number, { sessionEndsAt }: VerifiedResponse, now: number): number {
  if (sessionEndsAt === undefined) return asked;
  if (sessionEndsAt <= now) throw expiredToken('The session of the identity provider has ended');
  return Math.min(asked, Math.floor(sessionEndsAt / 1000) * 1000);
}
