/**
 * A file's name as an address relative to the manifest beside it. What ends a path is written otherwise, and so is a colon:
 * what stands before one would be a scheme (RFC 3986, 4.2).
 */
export function relativeAddress(name: string): string {
  return encodeURI(name).replace(/[?#:]/g, encodeURIComponent);
}
