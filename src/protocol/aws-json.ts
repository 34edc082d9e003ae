import type { Protocol } from './codec.ts';
import { jsonReaders, parseJson } from './json-reader.ts';
import { jsonWriters } from './json-writer.ts';

/** AWS JSON 1.0 and 1.1: the whole input and output in the body. */
export function awsJson(version: '1.0' | '1.1'): Protocol {
  return () => {
    const readerOf = jsonReaders();
    const writerOf = jsonWriters();
    const contentType = `application/x-amz-json-${version}`;
    return ({ input, output }) => {
      const read = input.isUnitSchema() ? () => ({}) : readerOf(input);
      const write = output.isUnitSchema() ? undefined : writerOf(output);
      return {
        decode: ({ body }) => read(parseJson(body)),
        encode: (value) => ({
          status: 200,
          headers: { 'content-type': contentType },
          body: write === undefined ? undefined : Buffer.from(JSON.stringify(write(value ?? {})), 'utf8'),
          stream: undefined,
        }),
      };
    };
  };
}
