import type {
  GetBucketEncryptionOutput,
  GetObjectOutput,
  GetObjectRequest,
  HeadObjectOutput,
  HeadObjectRequest,
  PutObjectOutput,
  PutObjectRequest,
} from '@aws-sdk/client-s3';
import type { AccessRefusal, Authority, Door } from '#kernel/door.ts';

/** S3 for other services: each call is validated, authorised and audited as one that came from a socket. */
export class S3Api {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async headObject(input: HeadObjectRequest, authority: Authority): Promise<HeadObjectOutput> {
    return (await this.#door.invoke('s3', 'HeadObject', input, authority)) as HeadObjectOutput;
  }

  /** What GetObject would be refused for; what it would ask KMS is not in it. @throws ServiceError NoSuchBucket */
  getObjectRefusals(input: GetObjectRequest, authority: Authority): Promise<readonly AccessRefusal[]> {
    return this.#door.refusals('s3', 'GetObject', input, authority);
  }

  /** As `getObjectRefusals`, of PutObject. */
  putObjectRefusals(input: PutObjectRequest, authority: Authority): Promise<readonly AccessRefusal[]> {
    return this.#door.refusals('s3', 'PutObject', input, authority);
  }

  async getBucketEncryption(Bucket: string, authority: Authority): Promise<GetBucketEncryptionOutput> {
    return (await this.#door.invoke('s3', 'GetBucketEncryption', { Bucket }, authority)) as GetBucketEncryptionOutput;
  }

  /** @param input its `Body` is a `DeliveredBody` */
  async putObject(input: PutObjectRequest, authority: Authority): Promise<PutObjectOutput> {
    return (await this.#door.invoke('s3', 'PutObject', input, authority)) as PutObjectOutput;
  }

  /** The body is a stream of bytes, which must be read or destroyed; of a small object a Buffer. */
  async getObject(input: GetObjectRequest, authority: Authority): Promise<GetObjectOutput> {
    return (await this.#door.invoke('s3', 'GetObject', input, authority)) as GetObjectOutput;
  }
}
