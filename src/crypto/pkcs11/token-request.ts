/** What the token's process is asked for. Nothing in it is secret. */
export interface TokenRequestHead {
  readonly action: 'wrap' | 'unwrap';
  /** The path of the PKCS#11 module. */
  readonly module: string;
  /** Labels. */
  readonly token: string;
  readonly key: string;
}

export interface TokenRequest {
  readonly head: TokenRequestHead;
  readonly pin: Buffer;
  readonly data: Buffer;
}

const LENGTH = 4;

/** Three parts, each behind its length (4 bytes, big endian): the head in JSON, the PIN, the data. The caller overwrites it. */
export function joinRequest({ head, pin, data }: TokenRequest): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  return Buffer.concat([text, pin, data].flatMap((part) => [lengthOf(part), part]));
}

/** The parts are views of `request`. */
export function splitRequest(request: Buffer): TokenRequest {
  const parts: Buffer[] = [];
  for (let at = 0; at < request.length; ) {
    const end = at + LENGTH + request.readUInt32BE(at);
    parts.push(request.subarray(at + LENGTH, end));
    at = end;
  }
  const [head, pin, data] = parts;
  if (head === undefined || pin === undefined || data === undefined) throw new Error('The request is incomplete.');
  return { head: JSON.parse(head.toString('utf8')) as TokenRequestHead, pin, data };
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH);
  length.writeUInt32BE(part.length);
  return length;
}
