import type { GetObjectOutput, GetObjectRequest, HeadObjectOutput, HeadObjectRequest } from '@aws-sdk/client-s3';
import type { Authority, Door } from '#kernel/door.ts';

/** S3 for other services: each call is validated, authorised and audited as one that came from a socket. */
export class S3Api {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async headObject(input: HeadObjectRequest, authority: Authority): Promise<HeadObjectOutput> {
    return (await this.#door.invoke('s3', 'HeadObject', input, authority)) as HeadObjectOutput;
  }

  /** The body is a stream of bytes, which must be read or destroyed; of a small object a Buffer. */
  async getObject(input: GetObjectRequest, authority: Authority): Promise<GetObjectOutput> {
    return (await this.#door.invoke('s3', 'GetObject', input, authority)) as GetObjectOutput;
  }
}
