import type { RootKey } from '#crypto/root-key.ts';
import { type Caller, nameOf } from '#kernel/caller.ts';
import type { Call } from '#kernel/operation.ts';
import { credentialContext, type CustomKeyStoreRecord, type ExternalKey } from './key-store-record.ts';
import {
  checkHealth,
  checkKeyMetadata,
  readMembers,
  readPlaintext,
  readWrappedText,
  type WrappedText,
} from './proxy-answers.ts';
import type { XksConnections } from './proxy-connections.ts';
import { proxyAuthorization } from './proxy-signature.ts';

/** What of a key store's record says how its proxy is asked. */
export type ProxyAddress = Pick<
  CustomKeyStoreRecord,
  'id' | 'region' | 'uri_endpoint' | 'uri_path' | 'access_key_id' | 'sealed_secret'
>;

/** Which call of KMS, on which key, a request to a proxy is for: proxies log it, and may decide by it. */
export interface KeyUse {
  readonly principalArn: string;
  readonly keyArn: string;
  /** Such as `GenerateDataKey`. */
  readonly operation: string;
  readonly requestId: string;
  /** `kms:ViaService`. */
  readonly service: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function keyUseOf(call: Call, operation: string, keyArn: string): KeyUse {
  const { requestId, now } = call;
  return { principalArn: principalArnOf(call.caller), keyArn, operation, requestId, service: call.via.at(-1), now };
}

/**
 * The external key store proxies, asked over AWS's public XKS proxy API, version 1. What they encrypt is already KMS's
 * ciphertext: no plaintext reaches them.
 */
export class KeyStoreProxies {
  readonly #connections: XksConnections;
  readonly #rootKey: RootKey;

  constructor(connections: XksConnections, rootKey: RootKey) {
    this.#connections = connections;
    this.#rootKey = rootKey;
  }

  close(): void {
    this.#connections.close();
  }

  sealSecret(storeId: string, secret: string): Buffer {
    const bytes = Buffer.from(secret);
    try {
      return this.#rootKey.seal(bytes, credentialContext(storeId));
    } finally {
      bytes.fill(0);
    }
  }

  /** True when the credential of a key store opens under the root key. */
  isSound(store: CustomKeyStoreRecord): boolean {
    try {
      this.#rootKey.open(store.sealed_secret, credentialContext(store.id)).fill(0);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws XksFailure unless the proxy can be reached, knows KMS and has a key manager that works */
  async checkHealth(address: ProxyAddress, call: Call, operation: string): Promise<void> {
    const requestMetadata = { kmsRequestId: call.requestId, kmsOperation: operation };
    checkHealth(await this.#ask(address, '/health', { requestMetadata }, call.now));
  }

  /** @throws XksFailure unless the external key is one that KMS can use */
  async checkKey(store: ProxyAddress, xksKeyId: string, call: Call, operation: string): Promise<void> {
    const requestMetadata = {
      awsPrincipalArn: principalArnOf(call.caller),
      kmsOperation: operation,
      kmsRequestId: call.requestId,
    };
    checkKeyMetadata(await this.#ask(store, `/keys/${xksKeyId}/metadata`, { requestMetadata }, call.now));
  }

  /** @throws XksFailure */
  async encrypt(key: ExternalKey, plaintext: Uint8Array, aad: Uint8Array, use: KeyUse): Promise<WrappedText> {
    const request = {
      requestMetadata: requestMetadata(use),
      additionalAuthenticatedData: base64(aad),
      plaintext: base64(plaintext),
      encryptionAlgorithm: 'AES_GCM',
      ciphertextDataIntegrityValueAlgorithm: 'SHA_256',
    };
    const path = `/keys/${key.xksKeyId}/encrypt`;
    return readWrappedText(await this.#ask(key.store, path, request, use.now), plaintext.length, aad);
  }

  /** @throws XksFailure */
  async decrypt(key: ExternalKey, wrapped: WrappedText, aad: Uint8Array, use: KeyUse): Promise<Buffer> {
    const request = {
      requestMetadata: requestMetadata(use),
      additionalAuthenticatedData: base64(aad),
      ciphertext: base64(wrapped.ciphertext),
      ...(wrapped.metadata.length > 0 && { ciphertextMetadata: base64(wrapped.metadata) }),
      encryptionAlgorithm: 'AES_GCM',
      initializationVector: base64(wrapped.iv),
      authenticationTag: base64(wrapped.tag),
    };
    const path = `/keys/${key.xksKeyId}/decrypt`;
    return readPlaintext(await this.#ask(key.store, path, request, use.now), wrapped.ciphertext.length);
  }

  async #ask(
    address: ProxyAddress,
    operationPath: string,
    request: object,
    now: number,
  ): Promise<Readonly<Record<string, unknown>>> {
    const host = address.uri_endpoint.slice('https://'.length).toLowerCase();
    const path = `${address.uri_path}${operationPath}`;
    const body = Buffer.from(JSON.stringify(request));
    const secret = this.#rootKey.open(address.sealed_secret, credentialContext(address.id));
    const signed = { host, path, body, region: address.region, now, accessKeyId: address.access_key_id, secret };
    const { authorization, date } = proxyAuthorization(signed);
    secret.fill(0);
    const headers = { 'content-type': 'application/json', 'x-amz-date': date, authorization };
    const answer = await this.#connections.post({ host, path, headers, body });
    return readMembers(answer.status, answer.body);
  }
}

function requestMetadata({ principalArn, keyArn, operation, requestId, service }: KeyUse): object {
  return {
    awsPrincipalArn: principalArn,
    kmsKeyArn: keyArn,
    kmsOperation: operation,
    kmsRequestId: requestId,
    ...(service !== undefined && { kmsViaService: service }),
  };
}

/** As `aws:PrincipalArn`: of a session of a role, the role's. */
function principalArnOf(caller: Caller): string {
  return caller.type === 'assumed-role' ? caller.roleArn : nameOf(caller);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
