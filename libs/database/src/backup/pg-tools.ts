import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { RagError } from '#libs/errors';

/** How PostgreSQL's own programs are called; they must not be older than the server. */
export interface PgTools {
  /** A command with arguments, split at spaces: "pg_dump", "docker exec -i db pg_dump". */
  pgDump: string;
  pgRestore: string;
}

export interface RunningTool {
  stdin: Writable;
  stdout: Readable;
  /** @throws {RagError} backup_tool_failed with what the program said */
  ended: Promise<void>;
}

const MESSAGE_CHARACTERS_MAX = 4_000;

/** @param url of the database it works on; its password goes by the environment, where `ps` does not show it */
export function runTool(command: string, args: readonly string[], url?: string): RunningTool {
  const [program, ...first] = command.split(' ').filter(Boolean);
  const target = url === undefined ? null : new URL(url);
  const password = target && decodeURIComponent(target.password);
  if (target) target.password = '';
  const child = spawn(program!, [...first, ...args, ...(target ? [`--dbname=${target.toString()}`] : [])], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...(password && { PGPASSWORD: password }) },
  });
  let message = '';
  child.stderr.on('data', (part: Buffer) => {
    message = (message + part.toString()).slice(-MESSAGE_CHARACTERS_MAX);
  });
  child.stdin.on('error', () => undefined); // it ended early and says why
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(
        new RagError(
          'backup_tool_failed',
          `"${program}" can't be run (${cause.message}). Install PostgreSQL's client programs, or say where they are with PG_DUMP and PG_RESTORE.`,
          { cause },
        ),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new RagError('backup_tool_failed', `"${program}" failed (exit ${code}):\n${message.trim()}`));
    });
  });
  ended.catch(() => undefined); // also awaited by the caller, later
  return { stdin: child.stdin, stdout: child.stdout, ended };
}

/** Data and schema of ours; extensions, owners and rights belong to the server it is restored on. */
export const dumpOptions = [
  '--format=custom',
  '--no-owner',
  '--no-privileges',
  '--no-comments',
  '--exclude-extension=*',
  '--exclude-schema=ag_catalog',
];
/** One transaction: a restore that fails leaves nothing behind. */
export const restoreOptions = ['--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction'];
/** Queued work is queued again from index_jobs; the queue's own tables stay with their engine. */
export const withoutQueue = '--exclude-schema=pgboss';
