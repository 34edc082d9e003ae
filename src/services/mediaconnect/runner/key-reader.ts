import type { Encryption } from '@aws-sdk/client-mediaconnect';
import type { Authority } from '#kernel/door.ts';
import { ServiceError } from '#kernel/service-error.ts';
import type { SrtEncryption } from '#media/live/flow-spec.ts';
import type { SecretsManagerApi } from '#services/secrets-manager/api.ts';
import type { RoleSession, StsApi } from '#services/sts/api.ts';
import type { FlowRecord } from '../domain/flow-document.ts';
import { KeyFormError, srtEncryptionOf } from '../domain/key-form.ts';

const SERVICE = 'mediaconnect.amazonaws.com';
/** The session is used at once, and given up. */
const SESSION_SECONDS = 900;

/** A key could not be read. The message says which step of the set-up is missing, and nothing of the key. */
export class KeyError extends Error {
  /** As AWS's alerts have it. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'KeyError';
    this.code = code;
  }
}

/**
 * Reads keys from Secrets Manager with the session of the role that the flow's owner named.
 *
 * INVARIANT: what comes from here stays in memory.
 */
export class KeyReader {
  readonly #sts: StsApi;
  readonly #secrets: SecretsManagerApi;

  constructor(sts: StsApi, secrets: SecretsManagerApi) {
    this.#sts = sts;
    this.#secrets = secrets;
  }

  /** Reads several keys of a flow; each role is assumed once. */
  forFlow(flow: Pick<FlowRecord, 'key' | 'arn' | 'account' | 'region'>): KeySession {
    return new KeySession(flow, this.#sts, this.#secrets);
  }
}

export class KeySession {
  readonly #flow: Pick<FlowRecord, 'key' | 'arn' | 'account' | 'region'>;
  readonly #sts: StsApi;
  readonly #secrets: SecretsManagerApi;
  readonly #sessions = new Map<string, Promise<RoleSession>>();

  constructor(flow: Pick<FlowRecord, 'key' | 'arn' | 'account' | 'region'>, sts: StsApi, secrets: SecretsManagerApi) {
    this.#flow = flow;
    this.#sts = sts;
    this.#secrets = secrets;
  }

  /**
   * @param what such as `output taker`
   * @throws KeyError
   */
  async read(encryption: Encryption, what: string): Promise<SrtEncryption> {
    const role = encryption.RoleArn ?? '';
    const secret = encryption.SecretArn ?? '';
    const failed = (code: string, reason: string): KeyError =>
      new KeyError(code, `The key of the ${what} could not be read: ${reason}`);
    const session = await this.#assume(role).catch((error: unknown) => {
      throw isRefusal(error)
        ? failed(
            'AccessDeniedException',
            `the role ${role} does not exist, or its trust policy does not let ${SERVICE} assume it (step 3 of setting ` +
              'up the key: the role and whom it trusts).',
          )
        : error;
    });
    const text = await this.#fetch(secret, session).catch((error: unknown) => {
      throw isRefusal(error) ? failed(...reasonOf(error, secret, role)) : error;
    });
    try {
      if (text === undefined) throw new KeyFormError('a key is stored as text, and not as binary');
      return srtEncryptionOf(text, encryption);
    } catch (error) {
      if (!(error instanceof KeyFormError)) throw error;
      throw failed(
        'BadRequestException',
        `the secret ${secret} does not hold such a key: ${error.message} (step 1 of setting up the key: the secret).`,
      );
    }
  }

  #assume(role: string): Promise<RoleSession> {
    let session = this.#sessions.get(role);
    if (session === undefined) {
      const input = {
        RoleArn: role,
        // So that the audit log says which flow has read a secret.
        RoleSessionName: `MediaConnect-${this.#flow.key}`,
        DurationSeconds: SESSION_SECONDS,
      };
      session = this.#sts.assumeRole(
        input,
        this.#authority({
          type: 'service',
          service: SERVICE,
          sourceAccount: this.#flow.account,
          sourceArn: this.#flow.arn,
        }),
      );
      this.#sessions.set(role, session);
    }
    return session;
  }

  async #fetch(secret: string, { caller }: RoleSession): Promise<string | undefined> {
    const { SecretString } = await this.#secrets.getSecretValue({ SecretId: secret }, this.#authority(caller));
    return SecretString;
  }

  #authority(caller: Authority['caller']): Authority {
    return { caller, region: this.#flow.region, via: [], userAgent: SERVICE, sourceIp: SERVICE };
  }
}

function isRefusal(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.isClientFault;
}

/** What Secrets Manager's answer means for whoever set the key up. */
function reasonOf({ code, message }: ServiceError, secret: string, role: string): [code: string, reason: string] {
  if (code === 'ResourceNotFoundException') {
    return [code, `the secret ${secret} does not exist, or has no value (step 1 of setting up the key: the secret).`];
  }
  if (code === 'InvalidRequestException') {
    return [code, `the secret ${secret} is scheduled for deletion (step 1 of setting up the key: the secret).`];
  }
  if (code === 'DecryptionFailure') {
    return [code, `the KMS key of the secret ${secret} is disabled, is being deleted, or does not open it.`];
  }
  if (message === 'Access to KMS is not allowed') {
    return [
      code,
      `the role ${role} may not use the KMS key of the secret ${secret}: a customer managed key needs kms:Decrypt in ` +
        'the policy of step 2, or in the key’s own policy.',
    ];
  }
  return [
    code,
    `the role ${role} may not read the secret ${secret} (step 2 of setting up the key: the policy that allows ` +
      'secretsmanager:GetSecretValue on that secret).',
  ];
}
