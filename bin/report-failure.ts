import { RootKeyError } from '#crypto/root-key-error.ts';
import { FFmpegMissingError } from '#media/ffmpeg/load-ffmpeg.ts';
import { SourceError } from '#media/source-error.ts';
import { FolderInUseError, FolderUnusableError } from '#storage/sqlite/folder-lock.ts';
import { StorageFullError } from '#storage/storage-full-error.ts';
import { AdministrationError } from './administration-error.ts';
import { ConfigError } from './config.ts';
import { ControlError } from './control-client.ts';
import { PutMediaError } from './kvs/put-media-error.ts';

const EXPECTED = [
  RootKeyError,
  FolderInUseError,
  FolderUnusableError,
  StorageFullError,
  AdministrationError,
  ConfigError,
  ControlError,
  PutMediaError,
  SourceError,
  FFmpegMissingError,
];

/** Ends the command: in one line where the operator can do something about it, with a trace where we must. */
export function reportFailure(error: unknown): void {
  if (EXPECTED.some((kind) => error instanceof kind)) console.error(`coffer: ${(error as Error).message}`);
  else if (isSystemError(error)) console.error(`coffer: ${error.message}`);
  else if (isRefusal(error)) console.error(`coffer: ${error.name}: ${error.message}`);
  else console.error(error);
  process.exitCode = 1;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** An error that an AWS service answered with, or the SDK's own about credentials. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && ('$fault' in error || error.name === 'CredentialsProviderError');
}
