/** Store: blobs kept on disk under their SHA-256, bounded in bytes, least recently used first to go. */
export { openBlobStore } from './blob-store.ts';
export type {
  BlobStore,
  BlobStoreLog,
  BlobStoreOptions,
  BlobStoreStats,
  BlobWriter,
  MaterialiseOptions,
  MaterialiseOutcome,
} from './blob-store-types.ts';
