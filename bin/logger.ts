import { pino } from 'pino';
import type { Logger } from '#kernel/logger.ts';
import type { LogLevel } from './config.ts';

/** Names under which secrets travel; whatever stands under one of them is not written. */
const SECRET_FIELDS = [
  'secretAccessKey',
  'SecretAccessKey',
  'sessionToken',
  'SessionToken',
  'authorization',
  'plaintext',
  'Plaintext',
  'passphrase',
];

/** Logs to standard error, one JSON object a line: standard output belongs to what commands print. */
export function createLogger(level: LogLevel): Logger {
  const redacted = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths: redacted, censor: '[redacted]' } },
    pino.destination({ dest: 2, sync: true }),
  );
}
