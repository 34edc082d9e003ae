import { readRotationEndpoint } from '#services/secrets-manager/domain/rotation-endpoint.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Reads `name=https://…` with commas between; the addresses by the rules of the other webhooks.
 *
 * @throws Error that says what is wrong
 */
export function readNamedWebhooks(text: string | undefined): ReadonlyMap<string, string> {
  const webhooks = new Map<string, string>();
  for (const item of text?.split(',') ?? []) {
    const at = item.indexOf('=');
    const name = item.slice(0, Math.max(0, at)).trim();
    if (!NAME.test(name)) throw new Error('A webhook is name=https://address, with small letters, digits and hyphens.');
    if (webhooks.has(name)) throw new Error(`There are two webhooks of the name ${name}.`);
    webhooks.set(name, readRotationEndpoint(item.slice(at + 1)));
  }
  return webhooks;
}
