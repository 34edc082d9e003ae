import { OperandError, type Operator } from './operator.ts';

interface Network {
  readonly bits: 32 | 128;
  readonly address: bigint;
  readonly prefix: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseV4(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let address = 0n;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    address = (address << 8n) | BigInt(octet);
  }
  return address;
}

/** Groups of one side of `::`, a dotted IPv4 tail counting as two. */
function parseGroups(text: string, mayEndInV4: boolean): bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const tail = mayEndInV4 && index === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined;
    if (tail !== undefined) groups.push(tail >> 16n, tail & 0xffffn);
    else if (GROUP.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left = '', right] = halves;
  const head = parseGroups(left, right === undefined);
  const tail = right === undefined ? [] : parseGroups(right, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((address, group) => (address << 16n) | group, 0n);
}

const MAPPED_PREFIX = 0xffffn;

/** An address with or without a prefix length. IPv4 addresses mapped into IPv6 (`::ffff:192.0.2.1`) count as IPv4. */
function parseNetwork(text: string): Network | undefined {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  const v4 = parseV4(addressText);
  const address = v4 ?? parseV6(addressText);
  if (address === undefined) return undefined;
  const bits = v4 === undefined ? 128 : 32;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return undefined;
  if (bits === 128 && prefix >= 96 && address >> 32n === MAPPED_PREFIX) {
    return { bits: 32, address: address & 0xffffffffn, prefix: prefix - 96 };
  }
  return { bits, address, prefix };
}

function contains(network: Network, address: Network): boolean {
  if (network.bits !== address.bits) return false;
  const shift = BigInt(network.bits - network.prefix);
  return network.address >> shift === address.address >> shift;
}

/** An address or a range in CIDR notation, IPv4 and IPv6. */
export const ipAddress: Operator = {
  name: 'IpAddress',
  negatedName: 'NotIpAddress',
  compile(value) {
    const network = parseNetwork(value);
    if (network === undefined) throw new OperandError(`'${value}' is neither an IP address nor a range`);
    return (text) => {
      const address = parseNetwork(text);
      // A range in the request is no address of a client: it matches nothing.
      return address !== undefined && address.prefix === address.bits && contains(network, address);
    };
  },
};
