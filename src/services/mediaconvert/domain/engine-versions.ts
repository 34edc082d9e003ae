/** The job engine that this version of Coffer is. */
export const ENGINE_VERSION = '2026-11-01';

/** Versions are dates. */
export const ENGINE_VERSION_PATTERN = /^\d{4}-\d{2}-\d{2}$/;
