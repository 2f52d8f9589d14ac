#!/usr/bin/env node
import 'reflect-metadata';
import { Command, Option } from 'commander';
import { loadDotEnv } from '#libs/config';
import { assertNodeVersion } from '#libs/project-files';
import { runBackup, runRestore } from './backup.command.js';
import type { DrillOptions } from './drill/drill.command.js';
import type { IndexOptions } from './index.command.js';
import { runJobsCancel, runJobsList, runJobsRetry, runJobsShow } from './jobs.command.js';
import { runKeysCreate, runKeysList, runKeysRevoke, runKeysRotate } from './keys.command.js';
import { runMigrate } from './migrate.command.js';
import { runModelsCheck } from './models-check.command.js';
import { runStatus } from './status/status.command.js';
import { runTenantsCreate, runTenantsList } from './tenants.command.js';

// The whole service is loaded by those commands alone that run it.
assertNodeVersion();
loadDotEnv();

const program = new Command('ragstone')
  .description('A production RAG backend on Postgres')
  .showHelpAfterError();

program
  .command('migrate')
  .description('bring the database up to date; safe to run at any time')
  .action(runMigrate);

program
  .command('backup')
  .description('write the whole database into one file (embedded: stop the service first)')
  .argument('<file>')
  .action(runBackup);

program
  .command('restore')
  .description('fill an empty database from a backup, of a server or embedded')
  .argument('<file>')
  .action(runRestore);

program
  .command('drill')
  .description(
    'back up, restore into a new database, compare rows and searches; exits with 1 when they differ',
  )
  .option('--file <file>', 'keep the backup there')
  .option(
    '--into <url>',
    'an empty database elsewhere, as its owner (default: a new one beside the original)',
  )
  .option('--searches <number>', 'how many', '50')
  .option('--agreement <share>', 'of their ten best sources', '0.95')
  .option('--keep', 'leave the restored database there')
  .action(async (options: DrillOptions) => (await import('./drill/drill.command.js')).runDrill(options));

program
  .command('models')
  .description('the models of MODELS_FILE or CHAT_*')
  .command('check')
  .description('call each once and print a table; exits with 1 when one does not answer')
  .action(runModelsCheck);

program
  .command('demo')
  .description('index the sample documents embedded, on a fresh data folder, and ask four questions')
  .action(async () => (await import('./demo.command.js')).runDemo());

program
  .command('mcp')
  .description('serve the Model Context Protocol over stdin and stdout, for clients that start it themselves')
  .action(async () => (await import('./mcp.command.js')).runMcp());

const serviceUrl = () => new Option('--url <url>', 'address of a running service').env('RAGSTONE_URL');
const serviceKey = () => new Option('--key <key>', 'API key of that service').env('RAGSTONE_KEY');
const tenant = () =>
  new Option('--tenant <name>', 'name or id (default: "default"; with --url that of the key)');
const priority = new Option('--priority <name>').choices(['low', 'normal', 'high']).default('normal');

program
  .command('index')
  .description('index files, and folders with all below them; without --url embedded, in this process')
  .argument('<path...>')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('-c, --collection <name>', 'where the documents go', 'default')
  .option('--root <folder>', 'name documents by their paths below this folder (default: by whole paths)')
  .addOption(priority)
  .option('--wait', 'until all documents are ready or have failed', true)
  .option('--no-wait', 'end when the service has them')
  .action(async (paths: string[], options: IndexOptions) =>
    (await import('./index.command.js')).runIndex(paths, options),
  );

program
  .command('status')
  .description('is a running service well, and if not, why: one screen; exits with 1 when it is not ready')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('--json')
  .action(runStatus);

const jobs = program.command('jobs').description('see and steer the jobs of a running service');

jobs
  .command('list')
  .description('newest first')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('-c, --collection <name>')
  .option('--kind <kind>', 'index_document, batch, crawl, rechunk, reembed or build_index')
  .option('--status <status>', 'queued, running, ready, failed, superseded or cancelled')
  .option('--code <code>', 'of the error')
  .option('--parent <id>', 'jobs below this one')
  .option('--limit <number>', 'at most 200', '20')
  .option('--json')
  .action(runJobsList);

jobs
  .command('show')
  .description('all about one job, as JSON')
  .argument('<id>')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .action(runJobsShow);

jobs
  .command('retry')
  .description('try jobs again: those named, or all failed ones that the options keep')
  .argument('[id...]')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('-c, --collection <name>')
  .addOption(new Option('--status <status>').choices(['failed', 'cancelled']))
  .option('--code <code>', 'of the error')
  .option('--parent <id>', 'jobs below this one')
  .action(runJobsRetry);

jobs
  .command('cancel')
  .description('end jobs and the jobs below them')
  .argument('<id...>')
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .action(runJobsCancel);

const keys = program
  .command('keys')
  .description('API keys: in the database, or with --url those of a running service');

keys
  .command('create')
  .description('make a key and print it, this once')
  .requiredOption('--name <name>', 'for people: who or what has it')
  .requiredOption('--scopes <list>', 'query, index and admin, with commas between')
  .option('--user <id>', 'the one user it stands for')
  .option('--expires <time>', 'after so long (90d, 12h), or at a time (2027-01-31)')
  .addOption(tenant())
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('--json')
  .action(runKeysCreate);

keys
  .command('list')
  .description('newest first')
  .addOption(tenant())
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('--json')
  .action(runKeysList);

keys
  .command('rotate')
  .description('give a key a new secret; the old one goes on for the overlap')
  .argument('<id>')
  .option('--overlap <time>', 'such as 1h or 0s', '1d')
  .addOption(tenant())
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .option('--json')
  .action(runKeysRotate);

keys
  .command('revoke')
  .description('refuse a key from now on')
  .argument('<id...>')
  .addOption(tenant())
  .addOption(serviceUrl())
  .addOption(serviceKey())
  .action(runKeysRevoke);

const tenants = program.command('tenants').description('who shares this installation (needs the database)');

tenants.command('create').argument('<name>').action(runTenantsCreate);
tenants.command('list').action(runTenantsList);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
