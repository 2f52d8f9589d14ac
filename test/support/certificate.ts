import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A certificate that nobody trusts, in two PEM files that this process can read. Null: there is no openssl. */
export function makeCertificate(folder: string): { certFile: string; keyFile: string } | null {
  const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...kind,
    '-subj',
    '/CN=localhost',
    '-keyout',
    keyFile,
    '-out',
    certFile,
  ]);
  return made.status === 0 ? { certFile, keyFile } : null;
}
