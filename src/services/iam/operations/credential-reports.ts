import {
  GenerateCredentialReport$,
  type GenerateCredentialReportResponse,
  GetCredentialReport$,
  type GetCredentialReportResponse,
} from '@aws-sdk/client-iam';
import type { AccountId } from '#kernel/ids.ts';
import { operation } from '#kernel/operation.ts';
import type { IamContext } from '../context.ts';
import { writeCredentialReport } from '../credential-report.ts';
import { reportExpired, reportNotPresent } from '../errors.ts';
import { callerAccount } from './targets.ts';

/** So long a report is handed out, and no other is made. */
const FRESH_MS = 4 * 60 * 60_000;

function taskId(account: AccountId): string {
  return `credential-report/${account}`;
}

function findReport(iam: IamContext, account: AccountId) {
  return iam.store.read
    .selectFrom('iam_task')
    .select(['created_at', 'result'])
    .where('id', '=', taskId(account))
    .where('account', '=', account)
    .executeTakeFirst();
}

/** The report is there when the answer is; AWS answers STARTED first, and COMPLETE to a later call. */
const generateCredentialReport = operation<IamContext, object, GenerateCredentialReportResponse>(
  GenerateCredentialReport$,
  {
    authorize: () => [{ action: 'iam:GenerateCredentialReport', resource: '*' }],
    async handle(_input, call, iam) {
      const account = callerAccount(call);
      const latest = await findReport(iam, account);
      if (latest !== undefined && call.now - latest.created_at < FRESH_MS) return { State: 'COMPLETE' };
      const result = await writeCredentialReport(account, iam.store, iam.lastUses);
      const facts = { status: 'DONE', created_at: call.now, finished_at: call.now, result } as const;
      await iam.store.writeAside((transaction) =>
        transaction
          .insertInto('iam_task')
          .values({ id: taskId(account), account, kind: 'credential-report', subject: '', request: '{}', ...facts })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(facts))
          .execute(),
      );
      return { State: 'COMPLETE' };
    },
  },
);

const getCredentialReport = operation<IamContext, object, GetCredentialReportResponse>(GetCredentialReport$, {
  authorize: () => [{ action: 'iam:GetCredentialReport', resource: '*' }],
  async handle(_input, call, iam) {
    const report = await findReport(iam, callerAccount(call));
    if (report === undefined || report.result === null) {
      throw reportNotPresent('No report exists. Generate one with GenerateCredentialReport.');
    }
    if (call.now - report.created_at >= FRESH_MS) {
      throw reportExpired('The report is older than four hours. Generate one with GenerateCredentialReport.');
    }
    return {
      Content: Buffer.from(report.result),
      ReportFormat: 'text/csv',
      GeneratedTime: new Date(report.created_at),
    };
  },
});

export const credentialReportOperations = [generateCredentialReport, getCredentialReport];
