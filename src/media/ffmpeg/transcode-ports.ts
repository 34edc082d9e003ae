import type { PartSink } from '../packaging/object-writer.ts';
import type { TranscodeEvent } from '../transcode-report.ts';
import type { AuxiliaryPort } from './auxiliary.ts';
import type { ByteSource } from './media-input.ts';

/** What a transcode needs from its surroundings. */
export interface TranscodePorts extends AuxiliaryPort {
  /** Opens an input's bytes; the one before is closed by then. */
  openSource(input: number): ByteSource & { close(): void };
  /** Where a group's objects go. */
  sinkFor(group: number): PartSink;
  report(event: TranscodeEvent): void;
  /** Called often; throws to stop the job. */
  onFrame(framesDecoded: number): void;
  /** Milliseconds since the epoch. */
  now(): number;
}
