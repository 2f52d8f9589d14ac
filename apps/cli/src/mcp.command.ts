import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { closeGently, createApp, McpServers } from '#apps/api';
import { readConfig } from '#libs/config';
import { isRagError } from '#libs/errors';

/** MCP over stdio, embedded or on DATABASE_URL, until the client closes its end. Nothing else may go to stdout. */
export async function runMcp(): Promise<void> {
  const config = readConfig();
  const app = await createApp({ ...config, log: { level: 'silent', pretty: false } }).catch(
    (error: unknown) => {
      if (!isRagError(error) || error.code !== 'data_folder_locked') throw error;
      throw new Error(
        `${error.message}\nIf that is a running service, let the client use its address ending in /mcp instead.`,
        { cause: error },
      );
    },
  );
  await app.init();
  const servers = app.get(McpServers);
  const handle = serveStdio(() => servers.create());
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) process.stdin.once(event, resolve);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });
  await handle.close();
  await closeGently(app);
  process.exit(0); // the pipe that the client holds open would keep this process alive
}
