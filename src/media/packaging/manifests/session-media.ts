/** A track as manifests describe it. */
export interface ManifestTrack {
  readonly number: number;
  /** RFC 6381: `avc1.640028`. */
  readonly codec: string;
  /** Bits a second. */
  readonly bandwidth: number;
  /** Video only. */
  readonly picture?: { readonly width: number; readonly height: number; readonly framesPerSecond?: number };
  /** Audio only. */
  readonly sound?: { readonly sampleRate: number; readonly channels: number };
}

/** A fragment of a session, in its place. */
export interface ManifestFragment {
  readonly number: string;
  /** By the session's choice of timestamps, in milliseconds since the epoch. */
  readonly timestamp: number;
  readonly durationMs: number;
}

/** A number with as many of three decimals as it needs, and at least one: `1.857`, `2.0`. */
export function decimal(value: number): string {
  return value.toFixed(3).replace(/0{1,2}$/, '');
}

/** The query of a child's address. Tokens are safe in addresses as they are. */
export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `${name}=${value}`).join('&');
}
