// Runs an npm script of this repo on a machine that may have only Node >= 20 and npm: installs what is missing, builds,
// then starts the script with the Node 24 that was installed with the packages.
// Plain JavaScript for an old Node: no dependencies, no newer syntax.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...rest] = process.argv.slice(2);
const isWindows = process.platform === 'win32';
const npm = isWindows ? 'npm.cmd' : 'npm';

const nodeMajor = Number(process.versions.node.split('.', 1)[0]);
if (nodeMajor < 20)
  stop(`Node ${process.versions.node} is too old: install Node 20 or later, then run this again.`);

await installIfNeeded();
await run('Building', ['run', '--silent', 'build'], 'the type errors above say what to mend.');
process.exit(await scriptRun(script, rest));

async function installIfNeeded() {
  const lock = createHash('sha256')
    .update(readFileSync(join(project, 'package-lock.json')))
    .digest('hex');
  const marker = join(project, 'node_modules', '.ragstone-installed');
  const installed = existsSync(marker) && readFileSync(marker, 'utf8') === lock;
  if (installed && existsSync(join(project, 'node_modules', '.bin', 'node'))) return;
  await run(
    'Installing packages (about 560 MB, once)',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'check the network and the free space on this disk, then run this again.',
  );
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, lock);
}

async function run(what, args, advice) {
  const started = Date.now();
  console.error(`${what} ...`);
  const status = await npmRun(args);
  if (status !== 0) stop(`"npm ${args.join(' ')}" failed: ${advice}`);
  console.error(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function npmRun(args) {
  return ended(spawn(npm, args, { cwd: project, stdio: 'inherit', shell: isWindows }));
}

/** The command of an npm script in place of npm's own shells, which keep signals from what they started. */
function scriptRun(name, args) {
  if (isWindows) return npmRun(['run', '--silent', name, '--', ...args]);
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const PATH = `${join(project, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn('sh', ['-c', `exec ${scripts[name]} "$@"`, name, ...args], {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, PATH },
  });
  return ended(child);
}

/** Signals reach the child, and this process waits for it to end in its own way. */
function ended(child) {
  const forward = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code ?? 1);
    });
  });
}

function stop(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
