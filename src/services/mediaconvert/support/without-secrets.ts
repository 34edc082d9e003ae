/** The members of a job's settings that are keys, or what leads to one. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  'StaticKeyValue',
  'EncryptedDecryptionKey',
  'InitializationVector',
  'ConstantInitializationVector',
  'KmsEncryptionContext',
]);

const HIDDEN = '(not shown)';
const ADDRESS = /\b(https?:\/\/)([^\s"'<>\]]+)/gi;

/**
 * A copy of settings or texts of a job without keys, and without what may sign an address: user names, passwords, query
 * and fragment.
 */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutSignatures(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, SECRET_MEMBERS.has(name) ? HIDDEN : withoutSecrets(member)]),
  );
}

function withoutSignatures(text: string): string {
  return text.replaceAll(ADDRESS, (_match, scheme: string, rest: string) => {
    const [, place = '', more] = /^([^?#]*)([?#].*)?$/s.exec(rest) ?? [];
    const [host = '', ...path] = place.split('/');
    const at = host.lastIndexOf('@');
    const shown = [at < 0 ? host : `${HIDDEN}@${host.slice(at + 1)}`, ...path].join('/');
    return `${scheme}${shown}${more === undefined ? '' : `?${HIDDEN}`}`;
  });
}
