import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { askerOf } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { readModelName } from './asked-model.js';
import { headOf, presentCompletion, presentFinish, usageOfAnswer, usageOfCall } from './chat.presenter.js';
import {
  type ChatCompletionRequest,
  chatCompletionRequestSchema,
  type ChatCompletionResponse,
  chatCompletionSchema,
} from './chat.schema.js';
import { ChatChunks } from './chat-chunks.js';
import { ChatSender } from './chat-sender.js';
import { DirectChat } from './direct-chat.js';
import { DocumentChat } from './document-chat.js';
import { OpenAiErrors } from './openai-error.js';

@ApiTags('openai')
@Controller('v1/chat/completions')
export class ChatController {
  constructor(
    private readonly documents: DocumentChat,
    private readonly direct: DirectChat,
    private readonly sender: ChatSender,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: "OpenAI's chat completions, answered from the documents",
    description:
      'The last message is the question. `ragstone` in the answer has status, citations and sources. With `"stream": true` chunks come as server-sent events; `ragstone.event` is search_results in the first chunk, citation, restart (all content so far is void, new content follows) or final, with the whole answer, in the last one. Models named "direct/..." are asked without documents.',
  })
  @ApiResponse({ status: 200, standardSchema: chatCompletionSchema })
  @OpenAiErrors(400, 402, 404, 422, 429, 503)
  async complete(
    @Body({ schema: chatCompletionRequestSchema }) body: ChatCompletionRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = readModelName(body.model);
    const head = headOf(request.id, body.model);
    if (body.stream) {
      const format = new ChatChunks(head, body.stream_options?.include_usage === true);
      await this.sender.send({ body, request, reply, format }, asked);
      return;
    }
    const { id: requestId, deadlineAt } = request;
    const context = { requestId, ...askerOf(request), signal: requestSignal(reply), deadlineAt };
    let completion: ChatCompletionResponse;
    if (asked.kind === 'documents') {
      const { answer, ...ragstone } = await this.documents.answer(body, asked, context);
      const usage = usageOfAnswer({ answer, ...ragstone });
      completion = { ...presentCompletion(head, { content: answer }, 'stop', usage), ragstone };
    } else {
      const { text, toolCalls, finishReason, spent } = await this.direct.complete(body, asked.chain, context);
      const calls = toolCalls.map(({ id, ...called }) => ({
        id,
        type: 'function' as const,
        function: called,
      }));
      completion = presentCompletion(
        head,
        { content: text, toolCalls: calls },
        presentFinish(finishReason),
        usageOfCall(spent),
      );
    }
    void reply.send(completion);
  }
}
