import { type JsonNode, parseJsonTree } from '#policy/json-tree.ts';

/** Puts others in the place of the AWS principals of a valid policy for which `replace` has one; the rest stays as it is. */
export async function replacePrincipals(
  document: string,
  replace: (name: string, at: number) => Promise<string | undefined>,
): Promise<string> {
  let result = document;
  // From the last to the first: what stands before keeps its place.
  for (const node of principalsIn(parseJsonTree(document)).toReversed()) {
    const other = await replace(node.value, node.at);
    if (other !== undefined) result = `${result.slice(0, node.at)}${JSON.stringify(other)}${result.slice(node.end)}`;
  }
  return result;
}

type StringNode = Extract<JsonNode, { type: 'string' }>;

function principalsIn(policy: JsonNode): StringNode[] {
  return itemsOf(member(policy, 'Statement')).flatMap((statement) =>
    ['Principal', 'NotPrincipal'].flatMap((element) =>
      itemsOf(member(member(statement, element), 'AWS')).filter((node) => node.type === 'string'),
    ),
  );
}

function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.type === 'object' ? node.members.find((candidate) => candidate.name === name)?.value : undefined;
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  if (node === undefined) return [];
  return node.type === 'array' ? node.items : [node];
}
