import { BlockList, isIP } from 'node:net';

/** A list of CIDR blocks, asked for each datagram. */
export class AllowedAddresses {
  readonly #list = new BlockList();
  /** The last address that was allowed: nearly always the next one's, too. */
  #last = '';

  /** @param blocks such as `10.0.0.0/8`, `203.0.113.7/32`, `2001:db8::/32`; well-formed */
  constructor(blocks: readonly string[]) {
    for (const block of blocks) {
      const [address = '', bits = ''] = block.split('/');
      this.#list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    }
  }

  /** @param address an IP address */
  has(address: string): boolean {
    if (address === this.#last) return true;
    if (!this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return false;
    this.#last = address;
    return true;
  }
}
