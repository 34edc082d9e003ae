/** The disk (or the quota) is full: the write was refused and left nothing behind. */
export class StorageFullError extends Error {
  constructor(options?: ErrorOptions) {
    super('There is no room left in the storage.', options);
    this.name = 'StorageFullError';
  }
}
