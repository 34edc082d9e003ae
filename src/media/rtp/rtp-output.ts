import { PacedOutput } from './paced-output.ts';
import { RtpWriter } from './rtp-writer.ts';

/** An RTP stream (RFC 3550) of a transport stream (RFC 2250). */
export class RtpOutput extends PacedOutput {
  readonly #writer = new RtpWriter();

  protected override wrap(payload: Buffer, now: number): Buffer {
    return this.#writer.next(payload, now);
  }
}
