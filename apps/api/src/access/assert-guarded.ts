import { type Config, isLoopback } from '#libs/config';
import { RagError } from '#libs/errors';

/** @throws {RagError} invalid_configuration when others could reach a service that asks nobody who they are */
export function assertGuarded({ http, access }: Config): void {
  if (access.isRequired || isLoopback(http.host)) return;
  throw new RagError(
    'invalid_configuration',
    `HOST=${http.host} can be reached from other machines, and AUTH is off: anybody could read and delete all documents. Make a key with "npm run ragstone -- keys create --name first --scopes admin" and set AUTH=on, or keep HOST=127.0.0.1 (docs/access.md).`,
  );
}
