/** Not worth a request: no text in it, or an archive. */
const skippedExtension =
  /\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|mov|avi|mkv|webm|og[gv]|wav|flac|woff2?|ttf|otf|eot|css|m?js|map|wasm|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|msi|dmg|iso|deb|rpm|apk|jar|bin)$/i;

const skippedType =
  /^(?:(?:image|video|audio|font)\/|text\/css|(?:text|application)\/(?:java|ecma)script|application\/(?:wasm|zip|gzip|x-tar|rss\+xml|atom\+xml))/;

/** Whether a crawl asks for what this URL names. */
export function mayBeIndexable(url: URL): boolean {
  return !skippedExtension.test(url.pathname);
}

/** Whether a crawl reads what a server declares so. What declares nothing is read. */
export function isIndexableType(mediaType: string | null): boolean {
  return mediaType === null || !skippedType.test(mediaType);
}

export function isHtmlType(mediaType: string | null): boolean {
  return mediaType === null || mediaType === 'text/html' || mediaType === 'application/xhtml+xml';
}
