/** The documents of a watched folder, as the index has them. */
export abstract class WatchedDocuments {
  /** Those that came from the folder, all of them, in any order. */
  abstract list(): AsyncIterable<{ externalId: string }>;

  /**
   * Indexes the file as it is now; a content that is indexed already costs nothing. Called for one file by one caller at
   * a time. `path` is absolute and has no symbolic link in it, at the time of the call.
   * @throws {RagError} retryable: the file is tried again, after `details.retry_after_seconds` where it is set. Any other:
   * the file is left alone until it changes.
   */
  abstract submit(file: { path: string; externalId: string }): Promise<void>;

  /** Also of what is not indexed: then nothing happens. @throws as `submit` */
  abstract remove(externalId: string): Promise<void>;
}
