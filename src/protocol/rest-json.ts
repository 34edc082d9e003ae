import type { Protocol } from './codec.ts';
import { compileHttpInput } from './http-input.ts';
import { compileHttpOutput } from './http-output.ts';
import { jsonReaders, parseJson, structureReader } from './json-reader.ts';
import { jsonWriters, structureWriter } from './json-writer.ts';
import { successStatusOf } from './rest-routes.ts';

/** REST with JSON bodies. */
export const restJson: Protocol = ({ refusesUnknownMembers = false }) => {
  const readerOf = jsonReaders('epoch-seconds', refusesUnknownMembers);
  const writerOf = jsonWriters();
  return ({ schema, input, output }) => ({
    decode: compileHttpInput(input, {
      readMembers: (members) => {
        const read = structureReader(members, false, readerOf, refusesUnknownMembers);
        return (body) => read(parseJson(body));
      },
      readPayload: (member) => {
        const read = readerOf(member);
        return (body) => read(parseJson(body));
      },
    }),
    encode: compileHttpOutput(output, successStatusOf(schema), {
      contentType: 'application/json',
      writeMembers: (structure, members) => {
        const write = structureWriter(structure, members, writerOf);
        return (value) => JSON.stringify(write(value));
      },
      writePayload: (member) => {
        const write = writerOf(member);
        return (value) => JSON.stringify(write(value));
      },
    }),
  });
};
