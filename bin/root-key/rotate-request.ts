/** What `coffer root-key rotate` asks for. It goes over the control socket alone, which nobody else may open. */
export interface RotateRequest {
  readonly to:
    | {
        readonly provider: 'key-file';
        /** Absolute; chosen by the server when absent. */
        readonly path?: string;
      }
    | { readonly provider: 'passphrase'; readonly passphrase: string }
    | {
        readonly provider: 'pkcs11';
        readonly module: string;
        readonly token: string;
        readonly key: string;
        readonly pin: string;
      };
  readonly endsSessions: boolean;
}

/** `undefined` for what is none. */
export function parseRotateRequest(fields: Readonly<Record<string, unknown>>): RotateRequest | undefined {
  const { to, endsSessions } = fields;
  if (typeof to !== 'object' || to === null || typeof endsSessions !== 'boolean') return undefined;
  const { provider, path, passphrase, module, token, key, pin } = to as Readonly<Record<string, unknown>>;
  switch (provider) {
    case 'key-file':
      if (path === undefined) return { to: { provider }, endsSessions };
      return typeof path === 'string' ? { to: { provider, path }, endsSessions } : undefined;
    case 'passphrase':
      return typeof passphrase === 'string' ? { to: { provider, passphrase }, endsSessions } : undefined;
    case 'pkcs11':
      if (typeof module !== 'string' || typeof token !== 'string') return undefined;
      if (typeof key !== 'string' || typeof pin !== 'string') return undefined;
      return { to: { provider, module, token, key, pin }, endsSessions };
    default:
      return undefined;
  }
}
