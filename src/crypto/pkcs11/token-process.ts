// Runs in a process of its own, so that a vendor's module, its threads and its faults stay out of the server. Talks with
// `token-client.ts` over its pipes.
import { fixedCopy, Module } from './module.ts';
import { Token } from './token.ts';
import { TokenError } from './token-error.ts';
import { splitRequest } from './token-request.ts';

try {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { head, pin, data } = splitRequest(fixedCopy(Buffer.concat(chunks)));
  for (const chunk of chunks) chunk.fill(0);
  const token = Token.open(new Module(head.module), head.token, pin);
  if (head.action === 'wrap') {
    const { key, isNew } = token.requireOrMakeKey(head.key);
    process.stdout.write(Buffer.concat([Buffer.of(isNew ? 1 : 0), token.wrap(key, data)]));
  } else {
    process.stdout.write(token.unwrap(token.requireKey(head.key), data));
  }
} catch (error) {
  if (!(error instanceof TokenError)) throw error;
  process.stderr.write(error.message);
  process.exitCode = 2;
}
