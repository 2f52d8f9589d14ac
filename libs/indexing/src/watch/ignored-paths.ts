import { sep } from 'node:path';

/** What editors, office programs, browsers and copy tools write on their way to a file. */
const temporaryName =
  /^~\$|^#.*#$|~$|\.(?:tmp|temp|swp|swx|swo|bak|part|partial|filepart|crdownload|download|lock|lck)$/i;
const systemName = /^(?:thumbs\.db|desktop\.ini|\$recycle\.bin|system volume information|lost\+found)$/i;

/** Hidden and temporary files, and all below a folder of such a name. @param path below the watched folder */
export function isIgnoredPath(path: string): boolean {
  return path
    .split(sep)
    .some((name) => name.startsWith('.') || temporaryName.test(name) || systemName.test(name));
}
