import { escapeText } from '#kernel/escape-xml.ts';
import type { Protocol } from './codec.ts';
import { parseQuery, type QueryParameters } from './query-parameters.ts';
import { parameterTree, queryReaders } from './query-reader.ts';
import { xmlWriters } from './xml-writer.ts';

/** AWS Query: parameters in a form (or the query string), XML in the answer. */
export const awsQuery: Protocol = ({ xmlNamespace = '' }) => {
  const readerOf = queryReaders();
  const writerOf = xmlWriters(false);
  const namespace = ` xmlns="${escapeText(xmlNamespace)}"`;
  return ({ name, input, output }) => {
    const read = input.isUnitSchema() ? () => ({}) : readerOf(input);
    const write = output.isUnitSchema() ? undefined : writerOf(output);
    return {
      decode: ({ query, body }) => read(parameterTree(withForm(query, body))),
      encode: (value, requestId) => {
        const result = write === undefined ? '' : write(value ?? {}, `${name}Result`, '');
        const metadata = `<ResponseMetadata><RequestId>${escapeText(requestId)}</RequestId></ResponseMetadata>`;
        return {
          status: 200,
          headers: { 'content-type': 'text/xml' },
          body: Buffer.from(`<${name}Response${namespace}>${result}${metadata}</${name}Response>`, 'utf8'),
          stream: undefined,
        };
      },
    };
  };
};

/** The parameters of the query string and of the form together. */
function withForm(query: QueryParameters, body: Buffer): QueryParameters {
  if (body.length === 0) return query;
  const form = parseQuery(body.toString('utf8'));
  if (query.size === 0) return form;
  const all = new Map(query);
  for (const [name, values] of form) all.set(name, [...(all.get(name) ?? []), ...values]);
  return all;
}
