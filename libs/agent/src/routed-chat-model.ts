import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import type { ChatResult } from '@langchain/core/outputs';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import type { ChatMessage, ChatTool, RoutedCompletion, ToolCall } from '#libs/model-routing';

/** Asks a model. What LangChain has no room for (who pays, limits, what is streamed to whom) is the caller's. */
export type AskModel = (messages: ChatMessage[], tools: ChatTool[]) => Promise<RoutedCompletion>;

interface CallOptions extends BaseChatModelCallOptions {
  tools?: BindToolsInput[];
}

/** Our models as LangChain's agents know a chat model. */
export class RoutedChatModel extends BaseChatModel<CallOptions> {
  constructor(private readonly ask: AskModel) {
    super({ maxRetries: 0 }); // the retries are the router's
  }

  override _llmType(): string {
    return 'ragstone-routed';
  }

  override bindTools(tools: BindToolsInput[]) {
    return this.withConfig({ tools });
  }

  override async _generate(
    messages: BaseMessage[],
    { tools = [] }: this['ParsedCallOptions'],
  ): Promise<ChatResult> {
    const { text, toolCalls, finishReason } = await this.ask(
      messages.map(toChatMessage),
      tools.map(toChatTool),
    );
    const message = new AIMessage({
      content: text,
      tool_calls: toolCalls.map(({ id, name, arguments: json }) => ({
        id,
        name,
        args: parseArguments(json),
        type: 'tool_call' as const,
      })),
    });
    return { generations: [{ text, message, generationInfo: { finishReason } }] };
  }
}

function toChatTool(given: BindToolsInput): ChatTool {
  const { name, description, parameters } = convertToOpenAITool(given as never).function;
  return { name, description: description ?? '', parameters };
}

const roles: Record<string, ChatMessage['role']> = {
  human: 'user',
  ai: 'assistant',
  system: 'system',
  tool: 'tool',
};

function toChatMessage(message: BaseMessage): ChatMessage {
  const { tool_calls: calls = [], tool_call_id: toolCallId } = message as AIMessage & {
    tool_call_id?: string;
  };
  const toolCalls: ToolCall[] = calls.map(({ id, name, args }) => ({
    id: id ?? '',
    name,
    arguments: JSON.stringify(args),
  }));
  return {
    role: roles[message.getType()] ?? 'user',
    content: message.text,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(toolCallId && { toolCallId }),
  };
}

/** What is no JSON object becomes one that no tool takes, so that the model is told. */
function parseArguments(json: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(json || '{}') as unknown;
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
