import { spawn, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';
import { waitFor } from './wait-for.js';

const script = join(projectFolder, 'scripts', 'stack');
/** How the folder of the stack is seen by its programs. */
const INSIDE = '/srv/stack';

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** The stack's Prometheus with a folder of its own, scraping what the test says once a second, with the rules of docker/. */
export class OwnPrometheus {
  private constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
    private readonly url: string,
  ) {}

  static async start(portBase: number, targets: Record<string, string[]>): Promise<OwnPrometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'ragstone-prometheus-'));
    const environment = { STACK_RUN: folder, STACK_PORT_BASE: String(portBase) };
    const prometheus = new OwnPrometheus(folder, environment, `http://127.0.0.1:${portBase + 40}`);
    await prometheus.stack('up', 'prometheus');
    const jobs = Object.entries(targets).map(
      ([job, urls]) =>
        `  - { job_name: ${job}, static_configs: [{ targets: [${urls.map((url) => `'${new URL(url).host}'`).join(', ')}] }] }`,
    );
    const config = `global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [rules.yml]\nscrape_configs:\n${jobs.join('\n')}\n`;
    await prometheus.place('rules.yml', 'docker/prometheus/rules.yml');
    await writeFile(join(folder, 'prometheus', 'prometheus.yml'), config);
    const { status } = await fetch(`${prometheus.url}/-/reload`, { method: 'POST' });
    if (status !== 200)
      throw new Error(`Prometheus refuses the test's configuration (${status}):\n${config}`);
    return prometheus;
  }

  /** Of an expression, now. @throws when Prometheus does not understand it */
  async query(expression: string): Promise<Sample[]> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const body = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (body.status !== 'success') throw new Error(`${expression}: ${body.error}`);
    return body.data!.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async scraped(count: number): Promise<void> {
    await waitFor(`${count} targets to be scraped`, async () => {
      const up = await this.query('sum(up)');
      return (up[0]?.value ?? 0) >= count;
    });
  }

  async remove(): Promise<void> {
    await this.stack('reset');
    await rm(this.folder, { recursive: true, force: true });
  }

  private async place(name: string, from: string): Promise<void> {
    const path = join(this.folder, 'prometheus', name);
    await copyFile(join(projectFolder, from), path);
    await chmod(path, 0o644);
  }

  private async stack(...args: string[]): Promise<void> {
    const child = spawn(script, args, { env: { ...process.env, ...this.environment }, stdio: 'ignore' });
    const code = await new Promise((resolve) => {
      child.on('exit', resolve);
    });
    if (code !== 0) throw new Error(`scripts/stack ${args.join(' ')} failed`);
  }
}

/** Runs promtool or amtool of the stack on files of the project; they are together in one folder. */
export async function runTool(
  tool: string[],
  files: string[],
): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-tool-'));
  await chmod(folder, 0o755);
  try {
    const paths: string[] = [];
    for (const file of files) {
      const name = file.split('/').at(-1)!;
      await copyFile(join(projectFolder, file), join(folder, name));
      await chmod(join(folder, name), 0o644);
      paths.push(`${INSIDE}/${name}`);
    }
    const done = spawnSync(script, ['exec', ...tool, paths[0]!], {
      encoding: 'utf8',
      env: { ...process.env, STACK_RUN: folder },
    });
    return { code: done.status, output: `${done.stdout}${done.stderr}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
