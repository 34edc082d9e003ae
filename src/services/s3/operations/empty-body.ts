/** The payload of a request that has none. */
export async function* emptyBody(): AsyncGenerator<Uint8Array> {
  // Nothing comes.
}
