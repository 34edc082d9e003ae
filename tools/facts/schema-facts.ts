import { type ModelMember, type ModelShape, type ServiceModel, shapeOf } from './service-model.ts';

/** The numbers by which the SDK's static schemas call simple shapes. */
const SIMPLE_SCHEMAS: Readonly<Record<string, number>> = {
  string: 0,
  integer: 1,
  long: 1,
  short: 1,
  byte: 1,
  float: 1,
  double: 1,
  boolean: 2,
  timestamp: 4,
  blob: 21,
};
const TIMESTAMP_SCHEMAS: Readonly<Record<string, number>> = { iso8601: 5, rfc822: 6, unixTimestamp: 7 };
const STREAMING_BLOB = 42;
const LIST_OF = 64;
const MAP_OF = 128;
const LIST = 1;
const MAP = 2;
const STRUCTURE = 3;
const UNION = 4;
const OPERATION = 9;

/**
 * Writes a REST JSON service's schemas in the static form of the AWS SDK, for a service whose client exports none.
 * Operations are exported; shapes are not.
 *
 * @throws Error when the model has something that this does not know
 */
export function printSchemas(model: ServiceModel, namespace: string, header: string): string {
  const lines: string[] = [];
  const seen = new Set<string>();

  const refTo = (shapeName: string): string => {
    const shape = shapeOf(model, shapeName);
    if (shape.type === 'structure') {
      declare(shapeName, shape);
      return `() => ${shapeName}$`;
    }
    const target = shape.type === 'list' ? shape.member?.shape : shape.type === 'map' ? shape.value?.shape : undefined;
    if (target !== undefined) {
      const simple = simpleSchemaOf(shapeOf(model, target));
      if (simple !== undefined) return String((shape.type === 'list' ? LIST_OF : MAP_OF) | simple);
      declare(shapeName, shape);
      return `() => ${shapeName}$`;
    }
    const simple = simpleSchemaOf(shape);
    if (simple === undefined) throw new Error(`The model's shape ${shapeName} is of an unknown type.`);
    return String(simple);
  };

  const declare = (shapeName: string, shape: ModelShape): void => {
    if (seen.has(shapeName)) return;
    seen.add(shapeName);
    const start = `namespace, ${JSON.stringify(shapeName)}, 0`;
    if (shape.type === 'list') {
      const item = refTo(shape.member?.shape ?? '');
      lines.push(`const ${shapeName}$: StaticListSchema = [${LIST}, ${start}, ${item}];`);
    } else if (shape.type === 'map') {
      const value = refTo(shape.value?.shape ?? '');
      lines.push(`const ${shapeName}$: StaticMapSchema = [${MAP}, ${start}, 0, ${value}];`);
    } else {
      declareStructure(shapeName, shape, start);
    }
  };

  const declareStructure = (shapeName: string, shape: ModelShape, start: string): void => {
    const required = shape.required ?? [];
    const members = Object.entries(shape.members ?? {});
    // The required ones stand first; their count is the schema's last item.
    const sorted = [
      ...members.filter(([name]) => required.includes(name)),
      ...members.filter(([name]) => !required.includes(name)),
    ];
    const names = sorted.map(([name]) => JSON.stringify(name)).join(', ');
    const refs = sorted.map(([name, member]) => {
      const traits = traitsOf(name, member, shape);
      const ref = refTo(member.shape);
      return traits === '' ? ref : `[${ref}, { ${traits} }]`;
    });
    const kind = shape.union ? UNION : STRUCTURE;
    const type = shape.union ? 'StaticUnionSchema' : 'StaticStructureSchema';
    const count = shape.union || required.length === 0 ? '' : `, ${required.length}`;
    lines.push(`const ${shapeName}$: ${type} = [${kind}, ${start}, [${names}], [${refs.join(', ')}]${count}];`);
  };

  const operations = Object.values(model.operations)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, http, input, output }) => {
      const trait = JSON.stringify([http.method, http.requestUri, http.responseCode ?? 200]);
      const inputRef = input === undefined ? '"unit"' : refTo(input.shape);
      const outputRef = output === undefined ? '"unit"' : refTo(output.shape);
      return `export const ${name}$: StaticOperationSchema = [${OPERATION}, namespace, ${JSON.stringify(name)}, { http: ${trait} }, ${inputRef}, ${outputRef}];`;
    });
  const types = ['List', 'Map', 'Operation', 'Structure', 'Union']
    .map((kind) => `Static${kind}Schema`)
    .filter((type) => [...lines, ...operations].some((line) => line.includes(`$: ${type} `)));
  return [
    header,
    `import type { ${types.join(', ')} } from '@smithy/types';`,
    '',
    `const namespace = ${JSON.stringify(`com.amazonaws.${namespace}`)};`,
    '',
    ...lines,
    '',
    ...operations,
    '',
  ].join('\n');
}

function simpleSchemaOf(shape: ModelShape): number | undefined {
  if (shape.type === 'timestamp') return TIMESTAMP_SCHEMAS[shape.timestampFormat ?? ''] ?? SIMPLE_SCHEMAS.timestamp;
  if (shape.type === 'blob' && shape.streaming) return STREAMING_BLOB;
  return SIMPLE_SCHEMAS[shape.type];
}

function traitsOf(name: string, member: ModelMember, owner: ModelShape): string {
  const wireName = member.locationName ?? name;
  const traits: string[] = [];
  switch (member.location) {
    case 'uri':
      traits.push('httpLabel: 1');
      break;
    case 'querystring':
      traits.push(`httpQuery: ${JSON.stringify(wireName)}`);
      break;
    case 'header':
      traits.push(`httpHeader: ${JSON.stringify(wireName)}`);
      break;
    case undefined:
      if (owner.payload === name) traits.push('httpPayload: 1');
      else if (wireName !== name) traits.push(`jsonName: ${JSON.stringify(wireName)}`);
      break;
    default:
      throw new Error(`The model binds ${name} to ${member.location}, which is not known here.`);
  }
  if (member.idempotencyToken) traits.push('idempotencyToken: 1');
  return traits.join(', ');
}
