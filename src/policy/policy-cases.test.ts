import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { AclGrantee } from '#kernel/acl.ts';
import { compilePolicy } from './compile-policy.ts';
import type { PolicyKind } from './document.ts';
import { evaluate, type PolicySource, type ResourcePolicySource } from './evaluate.ts';
import { PolicyDocumentError } from './policy-document-error.ts';
import type { PrincipalFacts } from './principal.ts';

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test/policy-cases/${name}.json`, import.meta.url), 'utf8')) as T;
}

type DocumentReference = string | object;

interface EvaluationCases {
  readonly documents: Readonly<Record<string, object>>;
  readonly principals: Readonly<Record<string, PrincipalFacts>>;
  readonly cases: readonly {
    readonly name: string;
    readonly principal: string;
    readonly action?: string;
    readonly resource?: string;
    readonly context?: Readonly<Record<string, string | string[]>>;
    readonly isCrossAccount?: boolean;
    readonly identity?: readonly DocumentReference[];
    readonly boundary?: DocumentReference;
    readonly session?: readonly DocumentReference[];
    readonly bucket?: DocumentReference;
    readonly isDenyOnly?: boolean;
    readonly acl?: readonly AclGrantee[];
    readonly key?: DocumentReference;
    readonly trust?: DocumentReference;
    readonly isAllowed: boolean;
    readonly reason?: string;
    readonly by?: string;
    readonly sid?: string;
  }[];
}

for (const file of ['evaluation', 'statements', 'documented', 'acl']) {
  const { documents, principals, cases } = load<EvaluationCases>(file);
  const source = (reference: DocumentReference, kind: PolicyKind): PolicySource => {
    const document = typeof reference === 'string' ? documents[reference] : reference;
    assert.ok(document, `no document ${JSON.stringify(reference)}`);
    return { name: JSON.stringify(reference), policy: compilePolicy(JSON.stringify(document), kind) };
  };
  describe(`policy cases: ${file}`, () => {
    for (const item of cases) {
      test(item.name, () => {
        const principal = principals[item.principal];
        assert.ok(principal, 'the case names a principal of its file');
        const resource = ((): ResourcePolicySource | undefined => {
          const { isDenyOnly = false } = item;
          if (item.bucket)
            return { ...source(item.bucket, 'resource'), isRequired: false, isDenyOnly, kind: 'resource-based' };
          if (item.key) return { ...source(item.key, 'resource'), isRequired: true, kind: 'resource-based' };
          if (item.trust) return { ...source(item.trust, 'trust'), isRequired: true, kind: 'role-trust' };
          return undefined;
        })();
        const decision = evaluate({
          principal,
          action: item.action ?? 's3:GetObject',
          resource: item.resource ?? 'arn:aws:s3:::films/x',
          context: new Map(Object.entries(item.context ?? {})),
          isCrossAccount: item.isCrossAccount ?? false,
          policies: {
            identity: (item.identity ?? []).map((document) => source(document, 'identity')),
            session: (item.session ?? []).map((document) => source(document, 'identity')),
            ...(item.boundary !== undefined && { boundary: source(item.boundary, 'identity') }),
            ...(resource !== undefined && { resource }),
            ...(item.acl !== undefined && { acl: { name: 'list', grantees: item.acl } }),
          },
        });
        assert.equal(decision.isAllowed, item.isAllowed, JSON.stringify(decision));
        if (item.reason !== undefined) assert.equal(decision.reason, item.reason);
        if (item.by !== undefined) assert.equal(decision.decidedBy?.policyType, item.by);
        if (item.sid !== undefined) assert.equal(decision.decidedBy?.sid, item.sid);
        assert.equal(decision.isExplicitDeny, decision.reason.startsWith('with an explicit deny'));
      });
    }
  });
}

const alice = { isRoot: false, accountId: '111122223333', arn: 'arn:aws:iam::111122223333:user/alice' };

interface OperatorCases {
  readonly conditions: readonly {
    readonly if: object;
    readonly matches: readonly (string | string[] | null)[];
    readonly misses: readonly (string | string[] | null)[];
  }[];
}

describe('policy cases: operators', () => {
  for (const { if: condition, matches, misses } of load<OperatorCases>('operators').conditions) {
    const statement = { Effect: 'Allow', Action: '*', Resource: '*', Condition: condition };
    const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }), 'identity');
    const isMet = (value: string | string[] | null) => {
      const context = new Map<string, string | string[]>([['media:other', 'other']]);
      if (value !== null) context.set('media:key', value);
      const policies = { identity: [{ name: 'x', policy }], session: [] };
      const request = { principal: alice, action: 's3:x', resource: '*', context, policies, isCrossAccount: false };
      return evaluate(request).isAllowed;
    };
    test(`${JSON.stringify(condition)}`, () => {
      for (const value of matches) assert.equal(isMet(value), true, `${JSON.stringify(value)} matches`);
      for (const value of misses) assert.equal(isMet(value), false, `${JSON.stringify(value)} does not match`);
    });
  }
});

interface HeaderCases {
  readonly statements: Readonly<Record<string, object>>;
  readonly requests: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly allowed: Readonly<Record<string, readonly string[]>>;
}

describe('policy cases: encryption headers', () => {
  const { statements, requests, allowed } = load<HeaderCases>('encryption-headers');
  const identity = [
    { name: 'all', policy: compilePolicy('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', 'identity') },
  ];
  for (const [names, permitted] of Object.entries(allowed)) {
    for (const [request, context] of Object.entries(requests)) {
      const isExpected = permitted.includes(request);
      test(`a bucket that denies by [${names}] ${isExpected ? 'takes' : 'refuses'} an upload with ${request}`, () => {
        const chosen = names
          .split(' ')
          .filter(Boolean)
          .map((name) => statements[name]);
        const document = JSON.stringify({ Version: '2012-10-17', Statement: chosen });
        const resource: ResourcePolicySource = {
          name: 'bucket',
          isRequired: false,
          kind: 'resource-based',
          ...(chosen.length > 0 && { policy: compilePolicy(document, 'resource') }),
        };
        const decision = evaluate({
          principal: alice,
          action: 's3:PutObject',
          resource: 'arn:aws:s3:::films/x',
          context: new Map(Object.entries(context)),
          policies: { identity, session: [], resource },
          isCrossAccount: false,
        });
        assert.equal(decision.isAllowed, isExpected);
      });
    }
  }
});

interface RejectedCases {
  readonly cases: readonly {
    readonly kind: PolicyKind;
    readonly text?: string;
    readonly document?: object;
    readonly problem: string;
    readonly line?: number;
    readonly column?: number;
    readonly detail?: string;
  }[];
}

describe('policy cases: rejected documents', () => {
  for (const { kind, text, document, problem, line, column, detail } of load<RejectedCases>('rejected').cases) {
    const json = text ?? JSON.stringify(document);
    test(`refuses as ${problem}, in a policy of kind ${kind}: ${json.replaceAll('\n', ' ')}`, () => {
      assert.throws(
        () => compilePolicy(json, kind),
        (error) => {
          assert.ok(error instanceof PolicyDocumentError, String(error));
          assert.equal(error.problem, problem, error.message);
          if (line !== undefined) assert.deepEqual([error.line, error.column], [line, column], error.message);
          if (detail !== undefined) assert.equal(error.detail, detail);
          return true;
        },
      );
    });
  }
});
