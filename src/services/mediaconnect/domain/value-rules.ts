import { isIP } from 'node:net';
import { badRequest } from '../errors.ts';

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;

/** @throws ServiceError BadRequestException */
export function checkName(name: string, maximum: number, where: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name) || name.length > maximum) {
    throw badRequest(`${where} must be 1 to ${maximum} letters, digits, hyphens and underscores.`);
  }
  return name;
}

/** @throws ServiceError BadRequestException */
export function checkText(text: string | undefined, maximum: number, where: string): void {
  if (text !== undefined && text.length > maximum) throw badRequest(`${where} has more than ${maximum} characters.`);
}

/** @throws ServiceError BadRequestException */
export function checkRange(value: number | undefined, from: number, to: number, where: string): void {
  if (value !== undefined && (value < from || value > to)) throw badRequest(`${where} must be from ${from} to ${to}.`);
}

/** A CIDR block of IPv4 or IPv6. @throws ServiceError BadRequestException */
export function checkCidr(block: string, where: string): void {
  const [address = '', bits = '', ...rest] = block.split('/');
  const version = isIP(address);
  const isBits = /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32);
  if (version === 0 || !isBits || rest.length > 0 || address.includes('%')) {
    throw badRequest(`${where}: ${block} is not a CIDR block, such as 203.0.113.0/24.`);
  }
}

/** @throws ServiceError BadRequestException */
export function checkHost(host: string, where: string): void {
  const looksLikeAddress = /^[\d.]+$/.test(host) || host.includes(':');
  const isHost = looksLikeAddress ? isIP(host) !== 0 : HOST_NAME.test(host);
  if (!isHost) throw badRequest(`${where} must be an IP address or a host name.`);
}

/** A stream id goes into an SRT handshake, which has room for 512 bytes. @throws ServiceError BadRequestException */
export function checkStreamId(id: string | undefined, where: string): void {
  if (id === undefined) return;
  if (id === '' || Buffer.byteLength(id) > 512 || /[\p{Cc}]/u.test(id)) {
    throw badRequest(`${where} must be 1 to 512 bytes without control characters.`);
  }
}
