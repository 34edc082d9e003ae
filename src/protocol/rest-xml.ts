import type { NormalizedSchema } from '@smithy/core/schema';
import { escapeText } from '#kernel/escape-xml.ts';
import { parseXml, type XmlElement, XmlError } from '#kernel/xml-document.ts';
import type { OperationShape, Protocol } from './codec.ts';
import { DecodeFailure } from './decode-failure.ts';
import { compileHttpInput } from './http-input.ts';
import { type BodyWriters, compileHttpOutput, type EncodedResponse } from './http-output.ts';
import { asRecord } from './per-schema.ts';
import { successStatusOf } from './rest-routes.ts';
import { structureReader, xmlReaders } from './xml-reader.ts';
import { structureWriter, XML_DECLARATION, xmlWriters } from './xml-writer.ts';

/** REST with XML bodies: S3. */
export const restXml: Protocol = ({ xmlNamespace = '' }) => {
  const readerOf = xmlReaders();
  const writerOf = xmlWriters(true);
  const namespace = ` xmlns="${escapeText(xmlNamespace)}"`;
  const writers: BodyWriters = {
    contentType: 'application/xml',
    writeMembers: (structure, members) => {
      const write = structureWriter(structure, members, writerOf);
      const root = structure.getOwnTraits().xmlName ?? structure.getName() ?? '';
      return (value) => XML_DECLARATION + write(value, root, namespace);
    },
    writePayload: (member) => {
      const write = writerOf(member);
      const root = rootNameOf(member);
      return (value) => XML_DECLARATION + write(value, root, namespace);
    },
  };
  return (operation) => ({
    decode: compileHttpInput(operation.input, {
      readMembers: (members) => {
        const read = structureReader(members, readerOf);
        const root = operation.input.getOwnTraits().xmlName ?? operation.input.getName() ?? '';
        return (body) => read(rootOf(body, root));
      },
      readPayload: (member) => {
        const read = readerOf(member);
        const root = rootNameOf(member);
        return (body) => read(rootOf(body, root));
      },
    }),
    encode: withPeculiarities(
      operation,
      compileHttpOutput(operation.output, successStatusOf(operation.schema), writers),
      namespace,
    ),
  });
};

function rootOf(body: Buffer, name: string): XmlElement {
  const element = parsedXml(body);
  if (element.name !== name) throw new DecodeFailure(`The root element must be ${name}`);
  return element;
}

function parsedXml(body: Buffer): XmlElement {
  try {
    return parseXml(body);
  } catch (error) {
    throw error instanceof XmlError ? new DecodeFailure(error.message) : error;
  }
}

function rootNameOf(member: NormalizedSchema): string {
  const name = member.getMemberTraits().xmlName ?? member.getOwnTraits().xmlName ?? member.getName();
  if (name === undefined) throw new Error(`The payload ${member.getMemberName()} has no name in XML.`);
  return name;
}

/** Where S3's answers are not what its model says. */
function withPeculiarities(
  { name, output }: OperationShape,
  encode: (value: unknown) => EncodedResponse,
  namespace: string,
): (value: unknown) => EncodedResponse {
  if (name === 'GetBucketLocation') {
    // The constraint is the root element itself, and empty for us-east-1 (S3 API Reference, GetBucketLocation).
    return (value) => {
      const constraint = asRecord(value)?.LocationConstraint;
      const text = typeof constraint === 'string' ? escapeText(constraint) : '';
      const xml = `${XML_DECLARATION}<LocationConstraint${namespace}>${text}</LocationConstraint>`;
      return { ...encode({}), body: Buffer.from(xml, 'utf8') };
    };
  }
  if (output.isStructSchema() && hasMember(output, 'ExpiresString')) {
    // The SDK's schema has the header twice: as a date and, under a name of its own, as the text that was stored.
    return (value) => {
      const response = encode(value);
      const { expiresstring, ...headers } = response.headers;
      return expiresstring === undefined ? response : { ...response, headers: { ...headers, expires: expiresstring } };
    };
  }
  return encode;
}

function hasMember(structure: NormalizedSchema, name: string): boolean {
  for (const [member] of structure.structIterator()) if (member === name) return true;
  return false;
}
