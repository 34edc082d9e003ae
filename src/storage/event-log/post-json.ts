const ANSWER_MS = 10_000;

/** Sends JSON to an address that the operator allows. @returns what went wrong; `undefined` when it was taken */
export async function postJson(address: string, json: string, end: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'coffer-events' },
      body: json,
      // INVARIANT: only the operator's addresses are called; a redirection would lead elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([end, AbortSignal.timeout(ANSWER_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `the answer was ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
  }
}

/** What of an address may stand in the log. */
export function hostOf(address: string): string {
  return new URL(address).host;
}
