import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { waitFor } from './wait-for.js';

const command = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync('which', [name]).status === 0,
);

/** Why tests in a browser are skipped; null when there is one. */
export const chromiumMissing = command ? null : 'needs Chromium: apt-get install chromium';

interface Reply {
  id: number;
  result?: { result?: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
  error?: { message: string };
}

/** A page of a real browser, by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/ */
export class ChromiumPage {
  private lastId = 0;

  private constructor(
    private readonly browser: ChildProcess,
    private readonly socket: WebSocket,
    private readonly folder: string,
  ) {}

  static async open(): Promise<ChromiumPage> {
    const folder = await mkdtemp(join(tmpdir(), 'ragstone-chromium-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const browser = spawn(
      command!,
      [...flags, '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank'],
      { stdio: 'ignore' },
    );
    const [port] = await waitFor('Chromium to listen', async () => {
      const text = await readFile(join(folder, 'DevToolsActivePort'), 'utf8').catch(() => '');
      return text.includes('\n') && text.split('\n');
    });
    const page = await waitFor('a page of Chromium', async () => {
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
        type: string;
        webSocketDebuggerUrl: string;
      }[];
      return targets.find(({ type }) => type === 'page');
    });
    const socket = new WebSocket(page.webSocketDebuggerUrl);
    await once(socket, 'open');
    return new ChromiumPage(browser, socket, folder);
  }

  /** What the Content-Security-Policy of each page from now on has forbidden is in its `violations`. */
  async noteViolations(): Promise<void> {
    const source = `window.violations = [];
      addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));`;
    await this.send('Page.enable', {});
    await this.send('Page.addScriptToEvaluateOnNewDocument', { source });
  }

  async goTo(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
    await waitFor(`${url} to load`, () =>
      this.evaluate<boolean>(
        `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`,
      ),
    );
  }

  /** The value of an expression in the page, awaited. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (result?.exceptionDetails) throw new Error(result.exceptionDetails.exception?.description ?? 'failed');
    return result?.result?.value as Value;
  }

  async close(): Promise<void> {
    this.socket.close();
    const ended = once(this.browser, 'exit');
    this.browser.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async send(method: string, params: object): Promise<Reply> {
    const id = (this.lastId += 1);
    const reply = new Promise<Reply>((resolve) => {
      const listen = (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Reply;
        if (message.id !== id) return;
        this.socket.off('message', listen);
        resolve(message);
      };
      this.socket.on('message', listen);
    });
    this.socket.send(JSON.stringify({ id, method, params }));
    const answer = await reply;
    if (answer.error) throw new Error(answer.error.message);
    return answer;
  }
}
