import assert from 'node:assert/strict';
import { createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms';
import { ServerFolder } from '../harness/server-process.ts';

const Plaintext = Buffer.from('plaintext');

it('keeps rotations and imports that were acknowledged when it is killed amid others', async () => {
  const folder = await ServerFolder.make();
  try {
    let server = await folder.start();
    let kms = new KMSClient(server.clientConfig);
    const KeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    const sealed: Uint8Array[] = [];
    let rotations = 0;
    const imported: string[] = [];
    const rotate = async () => {
      for (;;) {
        await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
        rotations++;
        sealed.push((await kms.send(new EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob ?? Buffer.of());
      }
    };
    const importOne = async () => {
      for (;;) {
        const key = (await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))).KeyMetadata?.KeyId ?? '';
        const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
        const given = await kms.send(new GetParametersForImportCommand({ KeyId: key, ...wrapping }));
        const der = Buffer.from(given.PublicKey ?? []);
        const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
        await kms.send(
          new ImportKeyMaterialCommand({
            KeyId: key,
            ImportToken: given.ImportToken,
            EncryptedKeyMaterial: publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, randomBytes(32)),
            ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
          }),
        );
        imported.push(key);
      }
    };
    // They end when the server does, or at the limit of rotations.
    const work = [rotate(), importOne(), importOne()].map((done) => done.catch(() => undefined));
    while (rotations < 3 || imported.length < 3) await delay(5);
    await server.end('SIGKILL');
    await Promise.all(work);
    kms.destroy();

    server = await folder.start();
    kms = new KMSClient(server.clientConfig);
    const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand({ KeyId }));
    assert.ok(Rotations.length === rotations || Rotations.length === rotations + 1);
    const current = Rotations.at(-1);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    assert.deepEqual(
      [current?.KeyMaterialState, current?.KeyMaterialId],
      ['CURRENT', KeyMetadata?.CurrentKeyMaterialId],
    );
    for (const CiphertextBlob of sealed) {
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
    }
    for (const key of imported) await kms.send(new EncryptCommand({ KeyId: key, Plaintext }));
    kms.destroy();
    await server.end('SIGTERM');
  } finally {
    await folder.remove();
  }
});
