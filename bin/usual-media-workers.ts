/**
 * One processor is left to the platform, but where there are two, two jobs share them: short ones mostly wait, for their
 * process to start and for the disk.
 */
export function usualMediaWorkers(processors: number): number {
  return Math.max(Math.min(2, processors), processors - 1);
}
