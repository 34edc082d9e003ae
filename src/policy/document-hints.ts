/** Names under which services are known elsewhere (endpoints, signatures, packages), and what policies call them. */
const WRONG_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['kinesis-video', 'kinesisvideo'],
  ['kinesis-video-media', 'kinesisvideo'],
  ['kinesis-video-archived-media', 'kinesisvideo'],
  ['secrets-manager', 'secretsmanager'],
  ['media-convert', 'mediaconvert'],
  ['elemental-mediaconvert', 'mediaconvert'],
  ['media-connect', 'mediaconnect'],
]);

/** The prefix that a service has in policies, for one that it does not have; AWS's own samples have got it wrong. */
export function rightPrefixOf(vendor: string): string | undefined {
  return WRONG_PREFIXES.get(vendor.toLowerCase());
}

/** What an element that does not exist was probably meant to be, for the end of a message. */
export function nameHint(name: string, known: ReadonlySet<string>): string {
  const meant = [...known].find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (meant !== undefined) return `: it is written '${meant}'`;
  return /[^ -~]/.test(name) ? ': it has characters that are not ASCII' : '';
}
