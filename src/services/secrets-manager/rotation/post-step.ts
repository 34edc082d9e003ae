/** A rotation did not come to its end; the message has no secrets. */
export class RotationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RotationError';
  }
}

/** As AWS calls a rotation function: one after the other. */
export const ROTATION_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

/** What an endpoint is sent: AWS's event for rotation functions. Never a value: the endpoint asks for it itself. */
export interface RotationEvent {
  readonly Step: RotationStep;
  /** The secret's ARN. */
  readonly SecretId: string;
  /** The version that the rotation makes. */
  readonly ClientRequestToken: string;
}

const STEP_MS = 4 * 60_000;

/** Sends one step to a rotation endpoint. @throws RotationError unless the answer is 2xx */
export async function postStep(target: string, event: RotationEvent, signal: AbortSignal): Promise<void> {
  let status: number;
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'secretsmanager.amazonaws.com' },
      body: JSON.stringify(event),
      // INVARIANT: only the operator's addresses are called; a redirection would lead elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)]),
    });
    status = response.status;
    await response.body?.cancel();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const name = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
    throw new RotationError(`The rotation endpoint could not be reached at ${event.Step}: ${name}.`);
  }
  if (status < 200 || status > 299)
    throw new RotationError(`The rotation endpoint answered ${event.Step} with ${status}.`);
}
