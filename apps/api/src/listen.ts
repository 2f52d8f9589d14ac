import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RagError } from '#libs/errors';

/** @returns the base URL. @throws {RagError} port_in_use */
export async function listen(
  app: NestFastifyApplication,
  { host, port, tls = null }: { host: string; port: number; tls?: object | null },
): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    await app.close();
    if ((cause as { code?: string }).code !== 'EADDRINUSE') throw cause;
    throw new RagError(
      'port_in_use',
      `Port ${port} on ${host} is taken by another process. Stop it, or choose another port with PORT.`,
      { cause },
    );
  }
  const address = app.getHttpServer().address() as { port: number };
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
