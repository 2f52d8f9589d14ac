import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { BreakerConfig, ModelConfig, ModelsConfig, SearchConfig } from './models-config.js';
import {
  type BreakerEntry,
  type ModelEntry,
  type ModelsFile,
  modelsFileSchema,
} from './models-file.schema.js';

type Environment = Record<string, string | undefined>;

export interface ModelsFileContent {
  models: ModelsConfig;
  embedding: ModelConfig | null;
  previousEmbedding: ModelConfig | null;
}

const defaultUrls: Partial<Record<ModelEntry['provider'], string>> = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
};

/** What the file says, or everything that is wrong with it. Keys come from `environment`, by the names in the file. */
export function readModelsFile(
  path: string,
  environment: Environment,
  outputTokensMax: number,
): ModelsFileContent | { problems: string[] } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { problems: [`MODELS_FILE: ${path} can't be read (${(error as { code?: string }).code})`] };
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    return { problems: document.errors.map(({ message }) => `${path}: ${message.split('\n', 1)[0]!}`) };
  }
  const parsed = modelsFileSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    return {
      problems: parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`),
    };
  }
  const reader = new EntryReader(parsed.data, environment, dirname(path));
  const content = reader.read(outputTokensMax);
  return reader.problems.length > 0
    ? { problems: reader.problems.map((problem) => `${path}: ${problem}`) }
    : content;
}

class EntryReader {
  readonly problems: string[] = [];

  constructor(
    private readonly file: ModelsFile,
    private readonly environment: Environment,
    private readonly folder: string,
  ) {}

  read(outputTokensMax: number): ModelsFileContent {
    const { file } = this;
    const models = Object.fromEntries(
      Object.entries(file.models).map(([name, entry]) => [name, this.model(name, entry)]),
    );
    this.checkChains(models);
    this.checkBudgets(models);
    return {
      models: {
        models,
        chains: file.chains,
        routes: routesOf(file),
        search: toSearch(file),
        budgets: file.budgets.map(({ per, subject, period, usd }) => ({
          per,
          subject: subject ?? null,
          period,
          microUsd: Math.round(usd * 1_000_000),
        })),
        retryShareMax: file.retry_share_max,
        deadlineMs: file.deadline_ms,
        outputTokensMax,
      },
      embedding: this.embedding('embedding', models),
      previousEmbedding: this.embedding('embedding_previous', models),
    };
  }

  private model(name: string, entry: ModelEntry): ModelConfig {
    const where = `models.${name}`;
    if (name === 'extractive')
      this.problems.push(`${where}: this name is taken by the answer without a model`);
    if (entry.provider === 'llama-cpp' ? !entry.gguf : entry.provider !== 'code' && !entry.model) {
      this.problems.push(`${where}: also set ${entry.provider === 'llama-cpp' ? 'gguf' : 'model'}`);
    }
    if (entry.kind === 'embedding' && !entry.dimensions) this.problems.push(`${where}: also set dimensions`);
    if (entry.kind !== 'chat' && entry.provider !== 'openai') {
      this.problems.push(`${where}: only the provider openai has ${entry.kind} models`);
    }
    return {
      name,
      kind: entry.kind,
      provider: entry.provider,
      model: entry.model ?? entry.gguf ?? name,
      baseUrl: entry.base_url ?? defaultUrls[entry.provider] ?? null,
      apiKey: entry.api_key_env ? this.variable(entry.api_key_env, `${where}.api_key_env`) : null,
      headers: Object.fromEntries(
        Object.entries(entry.headers).map(([header, value]) => [
          header,
          this.withVariables(value, `${where}.headers.${header}`),
        ]),
      ),
      gguf: entry.gguf ? resolve(this.folder, entry.gguf) : null,
      dimensions: entry.dimensions ?? null,
      contextTokens: entry.context_tokens ?? null,
      tokenizer: entry.tokenizer,
      prices: entry.prices.map(toPrice).sort((a, b) => (a.from < b.from ? -1 : 1)),
      limits: {
        requestsPerMinute: entry.limits.requests_per_minute ?? null,
        tokensPerMinute: entry.limits.tokens_per_minute ?? null,
        concurrency: entry.limits.concurrency,
        queue: entry.limits.queue,
      },
      timeouts: {
        connectMs: entry.timeouts_ms.connect,
        firstTokenMs: entry.timeouts_ms.first_token,
        betweenTokensMs: entry.timeouts_ms.between_tokens,
        totalMs: entry.timeouts_ms.total,
      },
      breaker: toBreaker(entry.breaker ?? this.file.breaker),
      attemptsMax: entry.attempts_max,
    };
  }

  private checkChains(models: Record<string, ModelConfig>): void {
    for (const [chain, links] of Object.entries(this.file.chains)) {
      for (const [index, link] of links.entries()) {
        const where = `chains.${chain}`;
        if (link === 'extractive') {
          if (index !== links.length - 1)
            this.problems.push(`${where}: extractive always answers, so it must be last`);
        } else if (!models[link]) {
          this.problems.push(`${where}: there is no model "${link}"`);
        } else if (models[link].kind !== 'chat') {
          this.problems.push(`${where}: "${link}" is no chat model`);
        }
        if (links.indexOf(link) !== index) this.problems.push(`${where}: "${link}" is there twice`);
      }
    }
    const { answer, assist } = routesOf(this.file);
    for (const chain of new Set([answer.simple, answer.medium, answer.complex])) {
      if (!this.file.chains[chain]) this.problems.push(`routes.answer: there is no chain "${chain}"`);
    }
    if (assist !== answer.simple && !this.file.chains[assist])
      this.problems.push(`routes.assist: there is no chain "${assist}"`);
    const { rerank } = this.file.search;
    if (rerank && !this.file.chains[rerank] && models[rerank]?.kind !== 'rerank')
      this.problems.push(`search.rerank: there is no chain and no model of kind rerank named "${rerank}"`);
  }

  private checkBudgets(models: Record<string, ModelConfig>): void {
    for (const [index, { per, subject }] of this.file.budgets.entries()) {
      if (per === 'model' && subject !== undefined && !models[subject]) {
        this.problems.push(`budgets.${index}: there is no model "${subject}"`);
      }
    }
    if (this.file.budgets.length === 0) return;
    const unpriced = Object.values(models).filter(
      ({ kind, prices }) => kind === 'chat' && prices.length === 0,
    );
    for (const { name } of unpriced) {
      this.problems.push(
        `models.${name}: budgets can't hold without its prices; set them, to 0 for a model of your own`,
      );
    }
  }

  private embedding(
    key: 'embedding' | 'embedding_previous',
    models: Record<string, ModelConfig>,
  ): ModelConfig | null {
    const wanted = this.file[key];
    if (wanted === undefined) return null;
    const model = models[wanted];
    if (model?.kind !== 'embedding') this.problems.push(`${key}: there is no embedding model "${wanted}"`);
    return model ?? null;
  }

  private variable(variable: string, where: string): string {
    const value = this.environment[variable]?.trim();
    if (!value) this.problems.push(`${where}: the environment has no ${variable}`);
    return value ?? '';
  }

  /** `Bearer ${NAME}` with the variable's value. */
  private withVariables(value: string, where: string): string {
    return value.replaceAll(/\$\{(\w+)\}/g, (_all, variable: string) => this.variable(variable, where));
  }
}

export function toSearch({ search }: ModelsFile): SearchConfig {
  const { multi_query: multiQuery, hyde, decompose, rerank = null } = search;
  return { multiQuery, hyde, decompose, rerank };
}

function routesOf({ routes: { answer, assist = answer.simple } }: ModelsFile): ModelsConfig['routes'] {
  return { answer, assist };
}

function toPrice(entry: ModelEntry['prices'][number]) {
  const { from, input, output } = entry;
  return {
    from,
    input,
    cachedInput: entry.cached_input ?? input,
    cacheWrite: entry.cache_write ?? input,
    output,
    reasoning: entry.reasoning ?? output,
  };
}

export function toBreaker(entry: BreakerEntry): BreakerConfig {
  return {
    consecutiveFailures: entry.consecutive_failures,
    errorRate: entry.error_rate,
    slowRate: entry.slow_rate,
    slowCallMs: entry.slow_call_ms ?? null,
    callsMin: entry.calls_min,
    windowSeconds: entry.window_seconds,
    openSeconds: entry.open_seconds,
  };
}
