import { existsSync } from 'node:fs';
import { RagError } from '#libs/errors';
import type { LangChainOptions } from '../langchain/langchain-chat-model.js';
import { LlamaCppChatModel, type LlamaCppModel } from './llama-cpp-chat-model.js';

const MODULE = '@langchain/community/chat_models/llama_cpp';

/**
 * A GGUF file in this process, through packages that are not installed with Ragstone: their peers want Zod 3.
 * @throws {RagError} invalid_configuration when they are missing (it says how to add them), or the file is
 */
export async function loadLlamaCpp(ggufPath: string, options: LangChainOptions): Promise<LlamaCppChatModel> {
  let loaded: { ChatLlamaCpp: { initialize(inputs: { modelPath: string }): Promise<LlamaCppModel> } };
  try {
    loaded = (await import(MODULE)) as typeof loaded;
  } catch (cause) {
    throw new RagError(
      'invalid_configuration',
      'A GGUF file in this process needs two packages that do not come with Ragstone, because they ask for another Zod: run "npm install --no-save --legacy-peer-deps --ignore-scripts @langchain/community node-llama-cpp". A llama.cpp server needs none: set base_url instead of gguf.',
      { cause },
    );
  }
  if (!existsSync(ggufPath)) {
    throw new RagError('invalid_configuration', `There is no GGUF file at ${ggufPath}.`);
  }
  return new LlamaCppChatModel(await loaded.ChatLlamaCpp.initialize({ modelPath: ggufPath }), options);
}
