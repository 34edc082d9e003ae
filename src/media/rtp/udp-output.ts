import { PacedOutput } from './paced-output.ts';

/** Payloads as datagrams. */
export class UdpOutput extends PacedOutput {
  protected override wrap(payload: Buffer): Buffer {
    return payload;
  }
}
