/** Says where a visitor came from and not what the page is. */
const trackingParameter = /^(?:utm_\w+|gclid|dclid|fbclid|msclkid|mc_[ce]id|_ga|_gl)(?:=|$)/i;

/**
 * One spelling of a URL, so that a page is asked for once. The parser of the URL standard has already lowered scheme and
 * host and dropped the default port; here go the fragment, an empty query, parameters that track visitors, and needless
 * or differently written percent encoding (RFC 3986, 6.2.2). The order of parameters stays: to some servers it matters.
 */
export function canonicalUrl(source: URL): string {
  const url = new URL(source);
  url.hash = '';
  url.hostname = url.hostname.replace(/\.+$/, '');
  url.pathname = plainEncoding(url.pathname);
  url.search = url.search
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !trackingParameter.test(parameter))
    .map(plainEncoding)
    .join('&');
  return url.href;
}

/** Host and port; http and https of one host are the same site. */
export function siteOf(url: URL): string {
  return `${url.hostname.replace(/\.+$/, '')}:${url.port}`;
}

function plainEncoding(text: string): string {
  return text.replaceAll(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCodePoint(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
