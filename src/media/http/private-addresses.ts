import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Networks that are not the public internet. Source: IANA's registries of special-purpose addresses (RFC 6890). */
const PRIVATE = new BlockList();
for (const block of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]) {
  const [network = '', bits = ''] = block.split('/');
  PRIVATE.addSubnet(network, Number(bits), 'ipv4');
}

/** All of IPv6's public addresses; there is nothing else to allow. */
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');

/** Within them: documentation, 6to4 and Teredo, which wrap addresses of IPv4. */
const NOT_PUBLIC_V6 = new BlockList();
for (const [network, bits] of [
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2001::', 32],
] as const) {
  NOT_PUBLIC_V6.addSubnet(network, bits, 'ipv6');
}

/** @param address an IP address */
export function isPrivate(address: string): boolean {
  const kind = isIP(address);
  if (kind === 4) return PRIVATE.check(address, 'ipv4');
  return kind === 0 || !PUBLIC_V6.check(address, 'ipv6') || NOT_PUBLIC_V6.check(address, 'ipv6');
}

/** A host's address is not the public internet's. */
export class PrivateAddressError extends Error {
  constructor(host: string) {
    super(`${host} is at a private address`);
    this.name = 'PrivateAddressError';
  }
}

/** Resolves names as the system does, but to public addresses alone: what was checked is what is connected to. */
export const publicLookup: LookupFunction = (host, options, done) => {
  systemLookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) {
      done(error, '', 0);
      return;
    }
    const [first] = found;
    if (first === undefined || found.some(({ address }) => isPrivate(address))) {
      done(new PrivateAddressError(host), '', 0);
    } else if (options.all === true) done(null, found);
    else done(null, first.address, first.family);
  });
};
