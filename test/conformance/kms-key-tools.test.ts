import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  GetPublicKeyCommand,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../fixtures/kms_independent.py', import.meta.url));
const hasLibraries =
  spawnSync('python3', ['-c', 'import boto3; from cryptography.hazmat.primitives.asymmetric import mldsa']).status ===
  0;
const hasCli = spawnSync('aws', ['--version']).status === 0;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('KMS keys with other tools', () => {
  let platform: TestPlatform;
  let folder: string;
  let kms: KMSClient;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    platform = await startTestPlatform();
    kms = new KMSClient(platform.clientConfig());
    folder = await mkdtemp(join(tmpdir(), 'coffer-kms-'));
    const { credentials } = platform.clientConfig();
    env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ENDPOINT_URL: platform.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
    };
  });
  after(async () => {
    kms.destroy();
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  it('boto3, and what KMS gives checked by Python’s cryptography: all specs and algorithms', {
    skip: hasLibraries ? false : 'boto3 or a cryptography with ML-DSA is not installed',
  }, async () => {
    const { stdout } = await run('python3', [script], { env });
    assert.match(stdout, /^OK$/m);
  });

  /** A file of the folder, as the AWS CLI and OpenSSL name it. */
  async function file(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  const bytes = (text: unknown): Buffer => Buffer.from(String(text), 'base64');

  const openssl = async (...args: readonly string[]) => (await run('openssl', [...args])).stdout;
  const needsOpenssl = { skip: hasOpenssl ? false : 'OpenSSL is not installed' };

  async function createKey(KeySpec: KeySpec, KeyUsage: KeyUsageType): Promise<string> {
    return (await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))).KeyMetadata?.KeyId ?? '';
  }

  async function publicKey(KeyId: string): Promise<string> {
    const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    return file(`${KeyId}.der`, PublicKey);
  }

  it('OpenSSL verifies signatures of messages and of digests', needsOpenssl, async () => {
    const message = randomBytes(1000);
    const messageFile = await file('message', message);
    const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
    for (const [spec, SigningAlgorithm, hash, options] of [
      ['RSA_2048', 'RSASSA_PSS_SHA_256', 'sha256', pss],
      ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512', []],
      ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256', []],
      ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512', []],
      ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256', []],
    ] as const) {
      const KeyId = await createKey(spec, 'SIGN_VERIFY');
      const publicFile = await publicKey(KeyId);
      for (const [MessageType, Message] of [
        ['RAW', message],
        ['DIGEST', createHash(hash).update(message).digest()],
      ] as const) {
        const command = new SignCommand({ KeyId, Message, MessageType, SigningAlgorithm });
        const { Signature = new Uint8Array() } = await kms.send(command);
        const signatureFile = await file('signature', Signature);
        const check = ['dgst', `-${hash}`, '-keyform', 'DER', '-verify', publicFile, ...options];
        assert.match(await openssl(...check, '-signature', signatureFile, messageFile), /Verified OK/);
      }
    }
  });

  it('KMS decrypts what OpenSSL encrypts, and derives what OpenSSL derives', needsOpenssl, async () => {
    const rsa = await createKey('RSA_3072', 'ENCRYPT_DECRYPT');
    const [sealedFile, secretFile] = [join(folder, 'sealed'), join(folder, 'secret')];
    const oaep = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256'];
    const plain = await file('plain', 'made elsewhere');
    const from = ['-pubin', '-keyform', 'DER', '-inkey', await publicKey(rsa), '-in', plain, '-out', sealedFile];
    await openssl('pkeyutl', '-encrypt', ...from, ...oaep);
    const sealed = { CiphertextBlob: await readFile(sealedFile), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    const opened = await kms.send(new DecryptCommand({ KeyId: rsa, ...sealed }));
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString(), 'made elsewhere');

    const KeyId = await createKey('ECC_NIST_P384', 'KEY_AGREEMENT');
    const own = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const ownFile = await file('own.pem', own.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const PublicKey = own.publicKey.export({ format: 'der', type: 'spki' });
    const { SharedSecret = new Uint8Array() } = await kms.send(
      new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
    );
    const peer = ['-peerkey', await publicKey(KeyId), '-peerform', 'DER'];
    await openssl('pkeyutl', '-derive', '-inkey', ownFile, ...peer, '-out', secretFile);
    assert.deepEqual(await readFile(secretFile), Buffer.from(SharedSecret));
  });

  it('the AWS CLI calls each operation', { skip: hasCli ? false : 'the AWS CLI is not installed' }, async () => {
    const aws = async (operation: string, options: Readonly<Record<string, string>>) => {
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      const { stdout } = await run('aws', ['kms', operation, ...args, '--output', 'json'], { env });
      return JSON.parse(stdout) as Record<string, string | boolean | object>;
    };
    const blob = async (name: string, base64: unknown) =>
      `fileb://${await file(`${name}.bin`, Buffer.from(String(base64), 'base64'))}`;
    const content = Buffer.from('the content').toString('base64');
    const message = await blob('content', content);
    const symmetric = await createKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const signing = await createKey('ML_DSA_65', 'SIGN_VERIFY');
    const rsa = await createKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const mac = await createKey('HMAC_384', 'GENERATE_VERIFY_MAC');

    // Each way one after the other, and all at once: the CLI takes a second to start.
    await Promise.all([
      (async () => {
        const how = { 'key-id': signing, 'signing-algorithm': 'ML_DSA_SHAKE_256', message };
        const { Signature } = await aws('sign', how);
        const verified = await aws('verify', { ...how, signature: await blob('signature', Signature) });
        assert.equal(verified['SignatureValid'], true);
      })(),
      (async () => {
        const how = { 'key-id': mac, 'mac-algorithm': 'HMAC_SHA_384', message };
        const { Mac } = await aws('generate-mac', how);
        assert.equal((await aws('verify-mac', { ...how, mac: await blob('mac', Mac) }))['MacValid'], true);
      })(),
      (async () => {
        const algorithm = 'RSAES_OAEP_SHA_1';
        const sealed = await aws('encrypt', { 'key-id': rsa, 'encryption-algorithm': algorithm, plaintext: message });
        const moved = await aws('re-encrypt', {
          'source-key-id': rsa,
          'source-encryption-algorithm': algorithm,
          'destination-key-id': symmetric,
          'ciphertext-blob': await blob('sealed', sealed['CiphertextBlob']),
        });
        const opened = await aws('decrypt', { 'ciphertext-blob': await blob('moved', moved['CiphertextBlob']) });
        assert.equal(opened['Plaintext'], content);
      })(),
      (async () => {
        const how = { 'key-spec': 'ECC_NIST_P256', 'key-usage': 'KEY_AGREEMENT' };
        const { KeyMetadata } = await aws('create-key', how);
        const { KeyId = '' } = KeyMetadata as { KeyId?: string };
        const pair = await aws('generate-data-key-pair', { 'key-id': symmetric, 'key-pair-spec': 'ECC_NIST_P256' });
        const derived = await aws('derive-shared-secret', {
          'key-id': KeyId,
          'key-agreement-algorithm': 'ECDH',
          'public-key': await blob('peer', pair['PublicKey']),
        });
        const { PublicKey } = await aws('get-public-key', { 'key-id': KeyId });
        const secret = diffieHellman({
          privateKey: createPrivateKey({ key: bytes(pair['PrivateKeyPlaintext']), format: 'der', type: 'pkcs8' }),
          publicKey: createPublicKey({ key: bytes(PublicKey), format: 'der', type: 'spki' }),
        });
        assert.equal(derived['SharedSecret'], secret.toString('base64'));
      })(),
      (async () => {
        const how = { 'key-id': symmetric, 'key-pair-spec': 'ECC_NIST_EDWARDS25519' };
        const pair = await aws('generate-data-key-pair-without-plaintext', how);
        assert.equal(pair['PrivateKeyPlaintext'], undefined);
        assert.equal(bytes(pair['PublicKey']).length, 44);
      })(),
    ]);
  });
});
