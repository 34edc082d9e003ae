import { invalidParameter } from '../errors.ts';

const LOOPBACK = '127.0.0.1';

/**
 * Reads an address to which rotations may be sent: `https`, or `http` on 127.0.0.1, without credentials, query or
 * fragment.
 *
 * @throws Error that says what is wrong
 */
export function readRotationEndpoint(text: string): string {
  const url = URL.parse(text.trim());
  if (url === null) throw new Error(`'${text}' is not an address.`);
  // Not repeated: it may be a password.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error('An address has no user, password, query or fragment.');
  }
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === LOOPBACK);
  if (!isSafe) throw new Error(`'${text}' is not an https:// address (http:// only for ${LOOPBACK}).`);
  return url.href;
}

/** The addresses that the operator lets rotations be sent to. */
export class RotationEndpoints {
  readonly #allowed: ReadonlySet<string>;

  /** @param allowed as `readRotationEndpoint` gives them; one without a path stands for every path of its origin */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** @returns the address, in its one spelling @throws ServiceError InvalidParameterException */
  check(target: string): string {
    if (target.startsWith('arn:')) {
      throw invalidParameter(
        'RotationLambdaARN: Coffer has no AWS Lambda. Give the https:// address of a rotation endpoint that the ' +
          'operator allows (COFFER_ROTATION_ENDPOINTS).',
      );
    }
    let address: string;
    try {
      address = readRotationEndpoint(target);
    } catch {
      throw invalidParameter(
        'RotationLambdaARN: this is not the https:// address of a rotation endpoint (it has no user, query or fragment).',
      );
    }
    if (!this.isAllowed(address)) {
      throw invalidParameter(
        `RotationLambdaARN: ${address} is not among the rotation endpoints that the operator allows ` +
          '(COFFER_ROTATION_ENDPOINTS).',
      );
    }
    return address;
  }

  isAllowed(address: string): boolean {
    return this.#allowed.has(address) || this.#allowed.has(`${new URL(address).origin}/`);
  }
}
