import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config, type RemoteEmbeddingsConfig } from '#libs/config';
import { LocalEmbeddingModel } from './adapters/local/local-embedding-model.js';
import { OpenAiCompatibleChatModel } from './adapters/openai-compatible/openai-compatible-chat-model.js';
import { OpenAiCompatibleEmbeddingModel } from './adapters/openai-compatible/openai-compatible-embedding-model.js';
import { EmbeddingModels } from './embedding-models.js';
import type { ChatModel } from './ports/chat-model.js';

/** Injection token of the configured ChatModel, or null. */
export const CHAT_MODEL = Symbol('ChatModel');

@Module({
  providers: [
    { provide: EmbeddingModels, inject: [CONFIG], useFactory: chooseEmbeddingModels },
    { provide: CHAT_MODEL, inject: [CONFIG], useFactory: chooseChatModel },
  ],
  exports: [EmbeddingModels, CHAT_MODEL],
})
export class ModelsModule implements OnApplicationShutdown {
  constructor(
    @Inject(EmbeddingModels) private readonly embeddings: EmbeddingModels,
    @Inject(CHAT_MODEL) private readonly chat: ChatModel | null,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.embeddings.close(), this.chat?.close()]);
  }
}

/** The local model is always there: it costs nothing until a collection it embedded is used. */
function chooseEmbeddingModels({ embeddings, previousEmbeddings }: Config): EmbeddingModels {
  const local = new LocalEmbeddingModel({ ...(embeddings.threads && { threads: embeddings.threads }) });
  const previous = previousEmbeddings ? [remoteModel(previousEmbeddings)] : [];
  if (embeddings.provider === 'local') return new EmbeddingModels(local, previous);
  return new EmbeddingModels(remoteModel(embeddings), [...previous, local]);
}

function remoteModel({ baseUrl, apiKey, model, dimensions }: RemoteEmbeddingsConfig) {
  return new OpenAiCompatibleEmbeddingModel({ baseUrl, model, dimensions, ...(apiKey && { apiKey }) });
}

function chooseChatModel({ chat }: Config): ChatModel | null {
  if (!chat) return null;
  const { baseUrl, apiKey, model, timeoutMs } = chat;
  return new OpenAiCompatibleChatModel({
    baseUrl,
    model,
    timeouts: { totalMs: timeoutMs },
    ...(apiKey && { apiKey }),
  });
}
