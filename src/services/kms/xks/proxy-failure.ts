import type { ConnectionErrorCodeType } from '@aws-sdk/client-kms';
import { ServiceError } from '#kernel/service-error.ts';

const BAD_REQUEST = 400;

/** How KMS tells of one failure of an external key store proxy, by what was asked. Source: the XKS proxy API specification. */
interface Telling {
  readonly message: string;
  /** Of CreateCustomKeyStore and UpdateCustomKeyStore. */
  readonly storeError: string;
  /** Of CreateKey. */
  readonly keyError: string;
  /** What DescribeCustomKeyStores tells after ConnectCustomKeyStore. */
  readonly connection: ConnectionErrorCodeType;
}

const UNREADABLE =
  'AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report ' +
  'it to your external key store proxy administrator.';
const BY_STATE = 'CustomKeyStoreInvalidStateException';
const KEY_CONFIGURATION = 'XksKeyInvalidConfigurationException';

const TELLINGS = {
  unreadable: {
    message: UNREADABLE,
    storeError: 'XksProxyInvalidResponseException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  keyNotEnabled: {
    message:
      'The external key associated with this KMS key in an external key store is not enabled in the external key ' +
      'manager. Enable the external key in the external key manager and retry the request.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: KEY_CONFIGURATION,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  ciphertextRejected: {
    message:
      'The external key store proxy rejected the request because the specified ciphertext or encryption context is ' +
      'corrupted, missing, or otherwise invalid.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  /** What came back from the proxy is not what KMS had given it. */
  plaintextWrong: {
    message:
      'The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is ' +
      'corrupted, missing, or otherwise invalid.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  keyUsage: {
    message:
      'The external key associated with this KMS key in an external key store does not support the requested ' +
      'operation. Enable the operation on the key in your external key manager, and try the request again.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: KEY_CONFIGURATION,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  authentication: {
    message:
      'The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS ' +
      'proxy authentication credentials for your external key store and update if necessary.',
    storeError: 'XksProxyIncorrectAuthenticationCredentialException',
    keyError: BY_STATE,
    connection: 'INVALID_CREDENTIALS',
  },
  accessDenied: {
    message:
      'The external key store proxy denied access to the operation. Verify that the user and the external key are ' +
      'both authorized for this operation, and try the request again.',
    storeError: 'XksProxyInvalidConfigurationException',
    keyError: 'KMSInvalidStateException',
    connection: 'XKS_PROXY_ACCESS_DENIED',
  },
  keyNotFound: {
    message:
      'The external key associated with this KMS key in an external key store was not found in its external key ' +
      'manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the ' +
      'correct external key ID.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: 'XksKeyNotFoundException',
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  uriPath: {
    message:
      'The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for ' +
      'your external key store and update if necessary.',
    storeError: 'XksProxyInvalidConfigurationException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_CONFIGURATION',
  },
  unsupported: {
    message:
      'The external key store proxy rejected the request because it does not support the requested operation. If ' +
      'you see this error repeatedly, report it to your external key store proxy administrator.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: KEY_CONFIGURATION,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  dependencyTimeout: {
    message:
      'The external key store proxy did not respond to the request in the time allotted. Retry the request. If you ' +
      'see this error repeatedly, report it to your external key store proxy administrator.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_TIMED_OUT',
  },
  throttled: {
    message:
      'The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of ' +
      'your calls using KMS keys in this external key store.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_NOT_REACHABLE',
  },
  internal: {
    message:
      'The external key store proxy rejected the request because it cannot communicate with the external key ' +
      'manager. Verify that the external key store proxy configuration is correct and that the external key manager ' +
      'is available.',
    storeError: 'XksProxyInvalidResponseException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_RESPONSE',
  },
  unreachable: {
    message:
      'AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you ' +
      'see this error repeatedly, verify that your external key store proxy is active and is connected to the ' +
      'network, and that its endpoint URI is correct in your external key store.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_NOT_REACHABLE',
  },
  /** Not in AWS: its proxies are at public addresses or behind a VPC endpoint service. */
  privateAddress: {
    message:
      'The external key store proxy is at a private address, which the operator has not allowed by COFFER_XKS_PROXIES.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_NOT_REACHABLE',
  },
  noneAvailable: {
    message: 'The external key store proxy reports that no external key manager is available.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_NOT_REACHABLE',
  },
  tls: {
    message:
      'AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, ' +
      'including its certificate.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_INVALID_TLS_CONFIGURATION',
  },
  timeout: {
    message:
      'AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. ' +
      'If you see this error repeatedly, report it to your external key store proxy administrator.',
    storeError: 'XksProxyUriUnreachableException',
    keyError: BY_STATE,
    connection: 'XKS_PROXY_TIMED_OUT',
  },
  notConnected: {
    message:
      'This KMS key is in a custom key store that is not connected to its external key store proxy. Connect the ' +
      'external key store and try the request again.',
    storeError: BY_STATE,
    keyError: BY_STATE,
    connection: 'XKS_PROXY_NOT_REACHABLE',
  },
} as const satisfies Readonly<Record<string, Telling>>;

export type XksFailureKind = keyof typeof TELLINGS;

/** The names that a proxy gives its errors. */
const KINDS_BY_NAME: ReadonlyMap<string, XksFailureKind> = new Map([
  ['ValidationException', 'unreadable'],
  ['InvalidStateException', 'keyNotEnabled'],
  ['InvalidCiphertextException', 'ciphertextRejected'],
  ['InvalidKeyUsageException', 'keyUsage'],
  ['AuthenticationFailedException', 'authentication'],
  ['AccessDeniedException', 'accessDenied'],
  ['KeyNotFoundException', 'keyNotFound'],
  ['InvalidUriPathException', 'uriPath'],
  ['ThrottlingException', 'throttled'],
  ['UnsupportedOperationException', 'unsupported'],
  ['DependencyTimeoutException', 'dependencyTimeout'],
  ['InternalException', 'internal'],
]);

/** What an external key store proxy failed by. Nothing of what it said goes on. */
export class XksFailure extends Error {
  readonly kind: XksFailureKind;

  constructor(kind: XksFailureKind, cause?: unknown) {
    super(`The external key store proxy failed: ${kind}`, { cause });
    this.name = 'XksFailure';
    this.kind = kind;
  }

  /** @param name the `errorName` of an answer */
  static ofName(name: string): XksFailure {
    return new XksFailure(KINDS_BY_NAME.get(name) ?? 'unreadable');
  }

  get connection(): ConnectionErrorCodeType {
    return TELLINGS[this.kind].connection;
  }

  get storeError(): ServiceError {
    return this.#as(TELLINGS[this.kind].storeError);
  }

  get keyError(): ServiceError {
    return this.#as(TELLINGS[this.kind].keyError);
  }

  /** Of the use of a key: one code for all. */
  get useError(): ServiceError {
    return this.#as('KMSInvalidStateException');
  }

  #as(code: string): ServiceError {
    return new ServiceError(code, BAD_REQUEST, TELLINGS[this.kind].message, { cause: this.cause });
  }
}

/** Runs `work` and tells a failure of the proxy in the way of the operation. */
export async function tellingFailures<Result>(
  work: () => Promise<Result>,
  as: 'storeError' | 'keyError' | 'useError',
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof XksFailure) throw error[as];
    throw error;
  }
}
