#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { loadDotEnv } from '#libs/config';
import { assertNodeVersion } from '#libs/project-files';
import { runBackup, runRestore } from './backup.command.js';
import { runDemo } from './demo.command.js';
import { runMigrate } from './migrate.command.js';
import { runModelsCheck } from './models-check.command.js';

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
  .command('models')
  .description('the models of MODELS_FILE or CHAT_*')
  .command('check')
  .description('call each once and print a table; exits with 1 when one does not answer')
  .action(runModelsCheck);

program
  .command('demo')
  .description('index the sample documents embedded, on a fresh data folder, and ask four questions')
  .action(runDemo);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
