import type { HttpAccess } from '../http/http-reader.ts';
import type { MediaLocation, S3Location } from '../transcode-input.ts';
import type { TranscodeJob } from '../transcode-job.ts';
import type { TranscodeEvent, TranscodeResult } from '../transcode-report.ts';
import type { AuxiliaryMemory } from './auxiliary.ts';
import type { SharedState } from './shared-state.ts';

/** The job role's temporary credentials. They cross the IPC pipe only: never arguments, the environment or a file. */
export interface WorkerCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface WorkerAccess {
  readonly endpoint: string;
  readonly region: string;
  /** Absent: no input may be of the web. */
  readonly http?: HttpAccess;
}

/** Platform → worker process. */
export type ToWorker =
  | { readonly kind: 'start'; readonly job: TranscodeJob; readonly access: WorkerAccess }
  | { readonly kind: 'credentials'; readonly credentials: WorkerCredentials }
  | { readonly kind: 'credentials-refused'; readonly code: number; readonly message: string }
  | { readonly kind: 'cancel' };

/** Worker process → platform. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'credentials-wanted' }
  | { readonly kind: 'event'; readonly event: TranscodeEvent }
  /** Sent four times a second and before the end, with the process's resident bytes and its progress counter. */
  | { readonly kind: 'alive'; readonly residentBytes: number; readonly progress: number }
  | { readonly kind: 'upload-begun'; readonly upload: OpenUpload }
  | { readonly kind: 'upload-ended'; readonly uploadId: string }
  | { readonly kind: 'done'; readonly result: TranscodeResult }
  | { readonly kind: 'failed'; readonly code: number; readonly message: string };

/** A multipart upload that somebody has to abort when its worker dies. */
export interface OpenUpload extends S3Location {
  readonly uploadId: string;
}

/** FFmpeg's thread → I/O thread of the same process. */
export type ToIo =
  | {
      readonly kind: 'read';
      readonly input: number;
      readonly offset: number;
      readonly length: number;
      readonly window: number;
    }
  /** A file beside the inputs, which is read like one from now on. */
  | {
      readonly kind: 'auxiliary';
      readonly input: number;
      readonly location: MediaLocation;
      readonly memory: AuxiliaryMemory;
      /** True: that it is not there is an answer, and not the end of the job. */
      readonly mayBeAbsent: boolean;
    }
  | { readonly kind: 'auxiliary-closed'; readonly input: number }
  | { readonly kind: 'object'; readonly object: number; readonly target: ObjectTarget }
  /** One part of an object; parts may come in any order, and the part numbers decide. */
  | { readonly kind: 'part'; readonly object: number; readonly part: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** All parts were sent. With a single part it becomes a plain PutObject. */
  | { readonly kind: 'end'; readonly object: number; readonly parts: number }
  | { readonly kind: 'event'; readonly event: TranscodeEvent }
  | { readonly kind: 'done'; readonly result: TranscodeResult }
  | { readonly kind: 'failed'; readonly code: number; readonly message: string }
  /** The thread ended because it was told to. */
  | { readonly kind: 'stopped' };

export interface ObjectTarget extends S3Location {
  readonly contentType: string;
  readonly contentEncoding?: 'gzip';
  /** Which group's storage settings apply. */
  readonly group: number;
  /** Manifests wait until everything before them is stored. */
  readonly isManifest: boolean;
}

export interface FFmpegThreadData {
  readonly job: TranscodeJob;
  readonly shared: SharedState;
  /** Bytes of each input, in order. */
  readonly inputSizes: readonly number[];
}
