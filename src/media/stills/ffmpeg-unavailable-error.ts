/** A worker has found no FFmpeg on this machine; its message says what to do. */
export class FFmpegUnavailableError extends Error {}
