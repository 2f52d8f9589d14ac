import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { askerOf } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { type AskedModel, readModelName } from './asked-model.js';
import { usageOfAnswer, usageOfCall } from './chat.presenter.js';
import { ChatSender } from './chat-sender.js';
import { DirectChat } from './direct-chat.js';
import { DocumentChat } from './document-chat.js';
import { OpenAiErrors } from './openai-error.js';
import { ResponseEvents } from './response-events.js';
import { toChatRequest } from './response-request.js';
import {
  presentAnnotations,
  presentAnswered,
  presentBegun,
  presentCalls,
  presentCompleted,
  presentMessage,
} from './response.presenter.js';
import {
  type ResponseRequest,
  responseRequestSchema,
  responseSchema,
  type ResponseView,
} from './response.schema.js';

@ApiTags('openai')
@Controller('v1/responses')
export class ResponseController {
  constructor(
    private readonly documents: DocumentChat,
    private readonly direct: DirectChat,
    private readonly sender: ChatSender,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: "OpenAI's responses, answered from the documents",
    description:
      'As POST /v1/chat/completions, in the newer shape: citations are annotations of the text, too. `conversation` is one of POST /conversations. Responses are not kept: there is no previous_response_id.',
  })
  @ApiResponse({ status: 200, standardSchema: responseSchema })
  @OpenAiErrors(400, 402, 404, 422, 429, 503)
  async respond(
    @Body({ schema: responseRequestSchema }) body: ResponseRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = readModelName(body.model);
    if (body.stream) {
      const format = new ResponseEvents(presentBegun(request.id, body), request.id);
      await this.sender.send({ body: toChatRequest(body), request, reply, format }, asked);
    } else void reply.send(await this.answer(body, asked, request, reply));
  }

  private async answer(
    body: ResponseRequest,
    asked: AskedModel,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<ResponseView> {
    const { id, deadlineAt } = request;
    const context = { requestId: id, ...askerOf(request), signal: requestSignal(reply), deadlineAt };
    const begun = presentBegun(id, body);
    if (asked.kind === 'documents') {
      const answer = await this.documents.answer(toChatRequest(body), asked, context);
      const message = presentMessage(`msg_${id}_0`, answer.answer, presentAnnotations(answer));
      return presentAnswered(begun, message, answer, usageOfAnswer(answer));
    }
    const { text, toolCalls, finishReason, spent } = await this.direct.complete(
      toChatRequest(body),
      asked.chain,
      context,
    );
    const message = text === '' ? [] : [presentMessage(`msg_${id}_0`, text)];
    const output = [...message, ...presentCalls(id, toolCalls)];
    return presentCompleted(begun, output, finishReason, usageOfCall(spent));
  }
}
