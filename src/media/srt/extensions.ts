/** The extensions of a conclusion, and of its answer. */
export interface HandshakeExtensions {
  readonly hello?: Hello;
  /** A key message, verbatim; of an answer it may be four bytes that say why there is none. */
  readonly keyMessage?: Buffer;
  readonly streamId?: string;
  /** Names of what Coffer has not: told so that it can be refused. */
  readonly congestion?: string;
  readonly filter?: string;
  readonly hasGroup?: boolean;
}

/** The extensions that Coffer sends. */
export interface SentExtensions extends Pick<HandshakeExtensions, 'hello' | 'keyMessage' | 'streamId'> {
  /** Whether they are a listener's answer. */
  readonly isResponse: boolean;
}

/** The SRT part of a handshake (HSREQ, HSRSP). */
export interface Hello {
  /** Such as 0x010500 for 1.5.0. */
  readonly version: number;
  readonly flags: number;
  /** Milliseconds that the side wants (in an answer: has) as a receiver, and wants the other to have. */
  readonly receiverLatencyMs: number;
  readonly senderLatencyMs: number;
}

/** Live mode: packets have a time to be delivered at, are dropped when too late, and losses are reported again. */
export const HELLO_FLAGS = {
  tsbpdSender: 1,
  tsbpdReceiver: 2,
  crypto: 4,
  tooLateDrop: 8,
  nakReport: 16,
  resentBit: 32,
  stream: 64,
  filter: 128,
} as const;

const TYPE = {
  helloRequest: 1,
  helloResponse: 2,
  keyRequest: 3,
  keyResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;
/** Flags of the handshake that say which kinds of extensions follow. */
const FLAG = { hello: 1, key: 2, config: 4 } as const;
const HELLO_BYTES = 12;
const LONGEST_STREAM_ID = 512;

/** @returns `undefined` of blocks that end beyond the packet, or are of a wrong length */
export function readExtensions(body: Buffer): HandshakeExtensions | undefined {
  const read: { -readonly [key in keyof HandshakeExtensions]: HandshakeExtensions[key] } = {};
  let at = 0;
  while (at + 4 <= body.length) {
    const type = body.readUInt16BE(at);
    const end = at + 4 + body.readUInt16BE(at + 2) * 4;
    if (end > body.length) return undefined;
    const content = body.subarray(at + 4, end);
    if (type === TYPE.helloRequest || type === TYPE.helloResponse) {
      if (content.length < HELLO_BYTES) return undefined;
      read.hello = readHello(content);
    } else if (type === TYPE.keyRequest || type === TYPE.keyResponse) read.keyMessage = content;
    else if (type === TYPE.streamId) {
      if (content.length > LONGEST_STREAM_ID) return undefined;
      read.streamId = readText(content);
    } else if (type === TYPE.congestion) read.congestion = readText(content);
    else if (type === TYPE.filter) read.filter = readText(content);
    else if (type === TYPE.group) read.hasGroup = true;
    at = end;
  }
  return read;
}

/** @returns how many bytes were written, and the flags that the handshake must have for them */
export function writeExtensions(
  { hello, keyMessage, streamId, isResponse }: SentExtensions,
  body: Buffer,
): { readonly bytes: number; readonly flags: number } {
  let at = 0;
  let flags = 0;
  const write = (type: number, content: Buffer, flag: number): void => {
    body.writeUInt16BE(type, at);
    body.writeUInt16BE(content.length / 4, at + 2);
    content.copy(body, at + 4);
    at += 4 + content.length;
    flags |= flag;
  };
  if (hello !== undefined) write(isResponse ? TYPE.helloResponse : TYPE.helloRequest, writeHello(hello), FLAG.hello);
  if (keyMessage !== undefined) write(isResponse ? TYPE.keyResponse : TYPE.keyRequest, keyMessage, FLAG.key);
  if (streamId !== undefined && streamId !== '') write(TYPE.streamId, writeText(streamId), FLAG.config);
  return { bytes: at, flags };
}

function readHello(content: Buffer): Hello {
  return {
    version: content.readUInt32BE(0),
    flags: content.readUInt32BE(4),
    receiverLatencyMs: content.readUInt16BE(8),
    senderLatencyMs: content.readUInt16BE(10),
  };
}

function writeHello(hello: Hello): Buffer {
  const content = Buffer.alloc(HELLO_BYTES);
  content.writeUInt32BE(hello.version, 0);
  content.writeUInt32BE(hello.flags, 4);
  content.writeUInt16BE(hello.receiverLatencyMs, 8);
  content.writeUInt16BE(hello.senderLatencyMs, 10);
  return content;
}

/** Texts lie in words whose four bytes are turned around, with zeros after their end. */
function readText(content: Buffer): string {
  const turned = Buffer.from(content).swap32();
  const end = turned.indexOf(0);
  return turned.toString('utf8', 0, end < 0 ? turned.length : end);
}

function writeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  bytes.copy(padded);
  return padded.swap32();
}
