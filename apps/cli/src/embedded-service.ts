import { closeGently, createApp, listen } from '#apps/api';
import { type Config, readConfig } from '#libs/config';
import { isRagError } from '#libs/errors';

/** The whole service in this process, on DATA_DIR and a free port of loopback, for the time of `work`. */
export async function withEmbeddedService(work: (baseUrl: string) => Promise<void>): Promise<void> {
  const config = readConfig();
  if (config.database.engine !== 'pglite') {
    throw new Error(
      'DATABASE_URL is set, so a service does the work: give its address with --url, or set RAGSTONE_URL.',
    );
  }
  console.log(`Indexing embedded, data in ${config.database.dataFolder}`);
  const ownUse: Config = {
    ...config,
    http: { ...config.http, host: '127.0.0.1', tls: null },
    access: { ...config.access, isRequired: false, jwt: null },
    log: { ...config.log, level: 'warn' },
  };
  const app = await createApp(ownUse).catch((error: unknown) => {
    throw explainLock(error, config);
  });
  try {
    await work(await listen(app, { host: '127.0.0.1', port: 0 }));
  } finally {
    await closeGently(app);
  }
}

function explainLock(error: unknown, { http }: Config): unknown {
  if (!isRagError(error) || error.code !== 'data_folder_locked') return error;
  return new Error(
    `${error.message}\nIf that is a running service, send the files to it: add --url http://${http.host}:${http.port || 8000}`,
    { cause: error },
  );
}
