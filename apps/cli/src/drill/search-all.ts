import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Config, ConfigModule } from '#libs/config';
import { runAsTenant, type SampledChunk } from '#libs/database';
import { QueryModule, QueryService } from '#libs/query';

const NEAREST = 10;
const QUESTION_CHARACTERS_MAX = 200;
const SENTENCE_CHARACTERS_MIN = 20;

@Module({})
class SearchModule {
  static forRoot(config: Config): DynamicModule {
    return { module: SearchModule, imports: [ConfigModule.forRoot(config), QueryModule] };
  }
}

/** For each sampled chunk what a sentence of it finds: the ten best sources, each by its chunks and its text. */
export async function searchAll(config: Config, sampled: readonly SampledChunk[]): Promise<string[][]> {
  const app = await NestFactory.createApplicationContext(SearchModule.forRoot(config), {
    logger: false,
    abortOnError: false,
  });
  try {
    const queries = app.get(QueryService);
    const found: string[][] = [];
    for (const { tenantId, collection, text } of sampled) {
      const asked = { question: questionFrom(text), collection, topK: NEAREST, mode: 'hybrid' as const };
      const { sources } = await runAsTenant(tenantId, () => queries.findSources(asked));
      found.push(sources.map((source) => `${source.chunks.map(({ id }) => id).join(' ')}\n${source.text}`));
    }
    return found;
  } finally {
    await app.close();
  }
}

function questionFrom(text: string): string {
  const sentences = text.split(/[.。!?！？\n]+/).map((sentence) => sentence.trim());
  const sentence = sentences.find(({ length }) => length >= SENTENCE_CHARACTERS_MIN) ?? text.trim();
  return sentence.slice(0, QUESTION_CHARACTERS_MAX);
}
