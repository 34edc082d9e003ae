import {
  CreateCustomKeyStore$,
  type CreateCustomKeyStoreRequest,
  type CreateCustomKeyStoreResponse,
  UpdateCustomKeyStore$,
  type UpdateCustomKeyStoreRequest,
} from '@aws-sdk/client-kms';
import { operation } from '#kernel/operation.ts';
import type { KmsContext } from '../context.ts';
import { callerAccount } from '../domain/key-locator.ts';
import { limitExceeded, unsupported, validation } from '../errors.ts';
import { changeKeyStore, findKeyStore, listKeyStores, requireUnique, wrongState } from '../xks/custom-key-stores.ts';
import type { CustomKeyStoreRecord } from '../xks/key-store-record.ts';
import { tellingFailures } from '../xks/proxy-failure.ts';
import { authorizeOnKeyStores } from './authorize-on-key-stores.ts';

/** AWS's quota, of an account and Region. */
const MAX_KEY_STORES = 10;

type Settings = Omit<UpdateCustomKeyStoreRequest, 'CustomKeyStoreId' | 'NewCustomKeyStoreName'>;

export const createCustomKeyStore = operation<KmsContext, CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse>(
  CreateCustomKeyStore$,
  {
    authorize: authorizeOnKeyStores('kms:CreateCustomKeyStore'),
    async handle(input, call, kms) {
      if ((input.CustomKeyStoreType ?? 'AWS_CLOUDHSM') === 'AWS_CLOUDHSM') {
        throw unsupported(
          'CustomKeyStoreType AWS_CLOUDHSM is not supported: there are no AWS CloudHSM clusters outside AWS.',
        );
      }
      if (input.TrustAnchorCertificate !== undefined) throw notOfExternal('TrustAnchorCertificate');
      refuseUnsupported(input);
      const {
        CustomKeyStoreName: name = '',
        XksProxyUriEndpoint: uri_endpoint,
        XksProxyUriPath: uri_path,
        XksProxyAuthenticationCredential: credential,
      } = input;
      if (input.XksProxyConnectivity === undefined) throw missing('XksProxyConnectivity');
      if (uri_endpoint === undefined) throw missing('XksProxyUriEndpoint');
      if (uri_path === undefined) throw missing('XksProxyUriPath');
      if (credential === undefined) throw missing('XksProxyAuthenticationCredential');
      checkPath(uri_path);
      const account = callerAccount(call.caller, 'kms:CreateCustomKeyStore');
      const id = `cks-${kms.randomness.bytes(9).toString('hex').slice(0, 17)}`;
      const store: CustomKeyStoreRecord = {
        id,
        account,
        region: call.region,
        name,
        uri_endpoint,
        uri_path,
        access_key_id: credential.AccessKeyId ?? '',
        sealed_secret: kms.proxies.sealSecret(id, credential.RawSecretAccessKey ?? ''),
        connection_state: 'DISCONNECTED',
        connection_error: null,
        created_at: call.now,
      };
      await requireUnique(kms.store.read, store, store);
      await tellingFailures(() => kms.proxies.checkHealth(store, call, 'CreateCustomKeyStore'), 'storeError');
      await kms.store.write(async (queries) => {
        await requireUnique(queries, store, store);
        if ((await listKeyStores(queries, store, '', MAX_KEY_STORES)).length === MAX_KEY_STORES) {
          throw limitExceeded(`You have reached the limit of ${MAX_KEY_STORES} custom key stores in this Region.`);
        }
        await queries.insertInto('kms_custom_key_store').values(store).execute();
      });
      return { CustomKeyStoreId: id };
    },
  },
);

export const updateCustomKeyStore = operation<KmsContext, UpdateCustomKeyStoreRequest, Record<string, never>>(
  UpdateCustomKeyStore$,
  {
    authorize: authorizeOnKeyStores('kms:UpdateCustomKeyStore'),
    async handle(input, call, kms) {
      refuseUnsupported(input);
      const account = callerAccount(call.caller, 'kms:UpdateCustomKeyStore');
      const { CustomKeyStoreId: id = '', NewCustomKeyStoreName: name, XksProxyUriPath: path } = input;
      if (path !== undefined) checkPath(path);
      const before = await findKeyStore(kms.store.read, { account, region: call.region }, id);
      requireChangeable(before, input);
      const credential = input.XksProxyAuthenticationCredential;
      const after: CustomKeyStoreRecord = {
        ...before,
        ...(name !== undefined && { name }),
        ...(input.XksProxyUriEndpoint !== undefined && { uri_endpoint: input.XksProxyUriEndpoint }),
        ...(path !== undefined && { uri_path: path }),
        ...(credential !== undefined && {
          access_key_id: credential.AccessKeyId ?? '',
          sealed_secret: kms.proxies.sealSecret(id, credential.RawSecretAccessKey ?? ''),
        }),
      };
      await requireUnique(kms.store.read, before, after);
      if (Object.keys(input).some((member) => member.startsWith('XksProxy'))) {
        await tellingFailures(() => kms.proxies.checkHealth(after, call, 'UpdateCustomKeyStore'), 'storeError');
      }
      const { name: newName, uri_endpoint, uri_path, access_key_id, sealed_secret } = after;
      await kms.store.write(async (queries) => {
        await requireUnique(queries, before, after);
        const change = { name: newName, uri_endpoint, uri_path, access_key_id, sealed_secret };
        await changeKeyStore(queries, before, change);
      });
      return {};
    },
  },
);

/** What may be changed while keys are in use leads to the same external keys; the rest waits until it is disconnected. */
function requireChangeable({ id, connection_state }: CustomKeyStoreRecord, input: UpdateCustomKeyStoreRequest): void {
  const { CustomKeyStoreId: _, ...changes } = input;
  if (Object.values(changes).every((change) => change === undefined)) {
    throw validation('You must specify at least one property of the custom key store to update.');
  }
  const needsDisconnection = input.XksProxyUriEndpoint !== undefined || input.XksProxyConnectivity !== undefined;
  if (connection_state === 'DISCONNECTED' || (connection_state === 'CONNECTED' && !needsDisconnection)) return;
  throw wrongState(id, 'is not disconnected');
}

/** Refuses by name what needs AWS's own network and hardware. */
function refuseUnsupported(input: Settings): void {
  if (input.XksProxyConnectivity === 'VPC_ENDPOINT_SERVICE') {
    throw unsupported(
      'XksProxyConnectivity VPC_ENDPOINT_SERVICE is not supported: there are no VPC endpoint services outside AWS. ' +
        'Use PUBLIC_ENDPOINT; the operator may let it be at a private address.',
    );
  }
  for (const name of ['XksProxyVpcEndpointServiceName', 'XksProxyVpcEndpointServiceOwner'] as const) {
    if (input[name] !== undefined && input[name] !== '') {
      throw unsupported(`${name} is not supported: there are no VPC endpoint services outside AWS.`);
    }
  }
  for (const name of ['CloudHsmClusterId', 'KeyStorePassword'] as const) {
    if (input[name] !== undefined) throw notOfExternal(name);
  }
}

/** Proxies that spell it otherwise would not agree with the signature. */
function checkPath(path: string): void {
  if (!path.endsWith('/kms/xks/v1') || path.includes('//')) {
    throw validation('XksProxyUriPath must end with /kms/xks/v1, without empty parts.');
  }
}

function missing(name: string): Error {
  return validation(`${name} is required for custom key stores of type EXTERNAL_KEY_STORE.`);
}

function notOfExternal(name: string): Error {
  return validation(`${name} is not valid for custom key stores of type EXTERNAL_KEY_STORE.`);
}
