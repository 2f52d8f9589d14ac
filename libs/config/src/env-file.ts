import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEnvFile } from 'node:process';

/** Adds what .env in the current folder sets and the environment does not. */
export function loadDotEnv(): void {
  const file = resolve('.env');
  if (existsSync(file)) loadEnvFile(file);
}
