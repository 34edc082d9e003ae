import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  CreateUserCommand,
  DeleteServerCertificateCommand,
  DeleteSigningCertificateCommand,
  DeleteSSHPublicKeyCommand,
  DeleteUserCommand,
  GetServerCertificateCommand,
  GetSSHPublicKeyCommand,
  IAMClient,
  ListServerCertificatesCommand,
  ListServerCertificateTagsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  TagServerCertificateCommand,
  UpdateServerCertificateCommand,
  UpdateSigningCertificateCommand,
  UpdateSSHPublicKeyCommand,
  UploadServerCertificateCommand,
  UploadSigningCertificateCommand,
  UploadSSHPublicKeyCommand,
} from '@aws-sdk/client-iam';
import { type IssuedCertificate, issueCertificate } from '../harness/certificates.ts';
import { failsWith } from '../harness/iam-calls.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

describe('certificates', () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  let authority: IssuedCertificate;
  let leaf: IssuedCertificate;

  before(async () => {
    platform = await startTestPlatform();
    iam = new IAMClient(platform.clientConfig());
    authority = issueCertificate('authority');
    leaf = issueCertificate('films.example', authority);
  });
  after(async () => {
    iam.destroy();
    await platform.stop();
  });

  const upload = (name: string, { certificate, key }: IssuedCertificate, chain?: string) =>
    iam.send(
      new UploadServerCertificateCommand({
        ServerCertificateName: name,
        CertificateBody: certificate,
        PrivateKey: key,
        CertificateChain: chain,
        Path: '/films/',
      }),
    );

  it('of servers are kept with their chain, renamed and deleted, and their keys never told', async () => {
    const { ServerCertificateMetadata } = await upload('films', leaf, authority.certificate);
    assert.match(ServerCertificateMetadata?.ServerCertificateId ?? '', /^ASCA[A-Z2-7]{17}$/);
    assert.ok((ServerCertificateMetadata?.Expiration?.getTime() ?? 0) > Date.now());
    await assert.rejects(upload('FILMS', leaf), failsWith('EntityAlreadyExistsException'));
    const ServerCertificateName = 'films';
    const found = await iam.send(new GetServerCertificateCommand({ ServerCertificateName }));
    assert.equal(found.ServerCertificate?.CertificateBody, leaf.certificate);
    assert.equal(found.ServerCertificate?.CertificateChain, authority.certificate);
    assert.equal(JSON.stringify(found).includes('PRIVATE'), false);
    const Tags = [{ Key: 'team', Value: 'films' }];
    await iam.send(new TagServerCertificateCommand({ ServerCertificateName, Tags }));
    assert.deepEqual((await iam.send(new ListServerCertificateTagsCommand({ ServerCertificateName }))).Tags, Tags);
    const renamed = { ServerCertificateName, NewServerCertificateName: 'movies', NewPath: '/movies/' };
    await iam.send(new UpdateServerCertificateCommand(renamed));
    const listed = await iam.send(new ListServerCertificatesCommand({ PathPrefix: '/movies/' }));
    assert.deepEqual(
      listed.ServerCertificateMetadataList?.map((item) => item.Arn),
      [`arn:aws:iam::${platform.accountId}:server-certificate/movies/movies`],
    );
    await iam.send(new DeleteServerCertificateCommand({ ServerCertificateName: 'movies' }));
    await assert.rejects(
      iam.send(new GetServerCertificateCommand({ ServerCertificateName: 'movies' })),
      failsWith('NoSuchEntityException', 'The Server Certificate with name movies cannot be found.'),
    );
  });

  it('of servers are refused that do not belong to their key, chain or time', async () => {
    const other = issueCertificate('other');
    const old = issueCertificate('old', undefined, -1);
    await assert.rejects(upload('x', { ...leaf, key: other.key }), failsWith('KeyPairMismatchException'));
    await assert.rejects(upload('x', leaf, other.certificate), failsWith('MalformedCertificateException', /chain/));
    await assert.rejects(upload('x', leaf, 'no chain'), failsWith('MalformedCertificateException', /chain/));
    await assert.rejects(upload('x', { ...leaf, certificate: 'x' }), failsWith('MalformedCertificateException'));
    await assert.rejects(upload('x', { ...leaf, key: 'x' }), failsWith('MalformedCertificateException', /private key/));
    await assert.rejects(upload('x', old), failsWith('InvalidCertificateException'));
    const both = { ...leaf, certificate: leaf.certificate + authority.certificate };
    await assert.rejects(upload('x', both), failsWith('MalformedCertificateException'));
  });

  it('of users are two at most, and no user is deleted who has one', async () => {
    const UserName = 'ann';
    await iam.send(new CreateUserCommand({ UserName }));
    const send = (CertificateBody: string) =>
      iam.send(new UploadSigningCertificateCommand({ UserName, CertificateBody }));
    const { Certificate } = await send(leaf.certificate);
    assert.deepEqual([Certificate?.Status, Certificate?.UserName], ['Active', UserName]);
    await assert.rejects(send(leaf.certificate), failsWith('DuplicateCertificateException'));
    const second = await send(authority.certificate);
    const third = issueCertificate('third');
    await assert.rejects(send(third.certificate), failsWith('LimitExceededException'));
    await assert.rejects(send('none'), failsWith('MalformedCertificateException'));
    const CertificateId = Certificate?.CertificateId;
    await iam.send(new UpdateSigningCertificateCommand({ UserName, CertificateId, Status: 'Inactive' }));
    const { Certificates = [] } = await iam.send(new ListSigningCertificatesCommand({ UserName }));
    assert.deepEqual(new Set(Certificates.map((item) => item.Status)), new Set(['Active', 'Inactive']));
    await assert.rejects(
      iam.send(new DeleteUserCommand({ UserName })),
      failsWith('DeleteConflictException', 'Cannot delete entity, must delete signing certificates first.'),
    );
    for (const id of [CertificateId, second.Certificate?.CertificateId]) {
      await iam.send(new DeleteSigningCertificateCommand({ UserName, CertificateId: id }));
    }
    await iam.send(new DeleteUserCommand({ UserName }));
  });

  it('and SSH keys of users are told in either encoding', async () => {
    const UserName = 'ben';
    await iam.send(new CreateUserCommand({ UserName }));
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const send = (SSHPublicKeyBody: string) => iam.send(new UploadSSHPublicKeyCommand({ UserName, SSHPublicKeyBody }));
    const { SSHPublicKey } = await send(pem);
    const SSHPublicKeyId = SSHPublicKey?.SSHPublicKeyId;
    assert.match(SSHPublicKeyId ?? '', /^APKA[A-Z2-7]{17}$/);
    assert.match(SSHPublicKey?.Fingerprint ?? '', /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    const get = async (Encoding: 'SSH' | 'PEM') =>
      (await iam.send(new GetSSHPublicKeyCommand({ UserName, SSHPublicKeyId, Encoding }))).SSHPublicKey;
    const ssh = (await get('SSH'))?.SSHPublicKeyBody ?? '';
    assert.match(ssh, /^ssh-rsa AAAAB3NzaC1yc2E/);
    assert.equal((await get('PEM'))?.SSHPublicKeyBody, pem);
    await assert.rejects(send(`${ssh} ben@films`), failsWith('DuplicateSSHPublicKeyException'));
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    for (const body of ['ssh-rsa AAAA', 'x', small.export({ type: 'spki', format: 'pem' }).toString(), leaf.key]) {
      await assert.rejects(send(body), failsWith('InvalidPublicKeyException'), body);
    }
    await iam.send(new UpdateSSHPublicKeyCommand({ UserName, SSHPublicKeyId, Status: 'Inactive' }));
    const { SSHPublicKeys } = await iam.send(new ListSSHPublicKeysCommand({ UserName }));
    assert.deepEqual(
      SSHPublicKeys?.map((key) => [key.SSHPublicKeyId, key.Status]),
      [[SSHPublicKeyId, 'Inactive']],
    );
    await assert.rejects(iam.send(new DeleteUserCommand({ UserName })), failsWith('DeleteConflictException'));
    await iam.send(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId }));
    await iam.send(new DeleteUserCommand({ UserName }));
  });
});
