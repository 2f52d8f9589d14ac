import type { ModelConfig } from '#libs/config';
import { RagError } from '#libs/errors';
import { AnthropicChatModel } from './adapters/anthropic/anthropic-chat-model.js';
import { loadLlamaCpp } from './adapters/llama-cpp/load-llama-cpp.js';
import { OpenAiCompatibleChatModel } from './adapters/openai-compatible/openai-compatible-chat-model.js';
import { OpenAiCompatibleReranker } from './adapters/openai-compatible/openai-compatible-reranker.js';
import type { ChatModel } from './ports/chat-model.js';
import type { Reranker } from './ports/reranker.js';

const inCode = new Map<string, ChatModel>();

/**
 * Makes a model of the program's own, a LangChain one say (`new LangChainChatModel(...)`), available to models.yaml as
 * `provider: code` under this name. To be called before the app is created.
 */
export function provideChatModel(name: string, model: ChatModel): void {
  inCode.set(name, model);
}

/** @throws {RagError} invalid_configuration */
export async function openChatModel(config: ModelConfig): Promise<ChatModel> {
  const { name, model, headers, timeouts, limits } = config;
  if (config.provider === 'code') {
    const given = inCode.get(name);
    if (given) return given;
    throw new RagError(
      'invalid_configuration',
      `models.yaml has the model "${name}" with "provider: code", and the program gave none: call provideChatModel("${name}", ...) before createApp.`,
    );
  }
  if (config.provider === 'llama-cpp') return loadLlamaCpp(config.gguf!, { model: name, timeouts });
  const options = {
    baseUrl: config.baseUrl!,
    model,
    headers,
    timeouts,
    connectionsMax: limits.concurrency,
    ...(config.apiKey && { apiKey: config.apiKey }),
  };
  return config.provider === 'anthropic'
    ? new AnthropicChatModel(options)
    : new OpenAiCompatibleChatModel(options);
}

/** Of a model of kind rerank. */
export function openReranker({ model, baseUrl, apiKey, headers, timeouts, limits }: ModelConfig): Reranker {
  return new OpenAiCompatibleReranker({
    baseUrl: baseUrl!,
    model,
    headers,
    timeouts,
    connectionsMax: limits.concurrency,
    ...(apiKey && { apiKey }),
  });
}
