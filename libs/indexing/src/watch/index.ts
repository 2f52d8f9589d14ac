export { FolderWatcher, type FolderWatcherOptions, watchedExternalId } from './folder-watcher.js';
export { WatchedDocuments } from './ports/watched-documents.js';
