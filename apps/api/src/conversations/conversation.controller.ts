import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  SerializeOptions,
} from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Conversation, ConversationRepository, type Message } from '#libs/conversations';
import { userAsked } from '../access/request-caller.js';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type ConversationList,
  conversationListQuerySchema,
  type ConversationListQuery,
  conversationListSchema,
  conversationQuerySchema,
  type ConversationQuery,
  type ConversationRequest,
  conversationRequestSchema,
  conversationSchema,
  type ConversationView,
  type ConversationWithMessages,
  conversationWithMessagesSchema,
} from './conversation.schema.js';

/** The last of a long conversation. */
const MESSAGES_MAX = 1_000;

@ApiTags('conversations')
@Controller('conversations')
export class ConversationController {
  constructor(private readonly conversations: ConversationRepository) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Begin a conversation; questions name it with conversation_id' })
  @ApiResponse({ status: 201, standardSchema: conversationSchema })
  @ApiProblems(400, 422)
  @SerializeOptions({ schema: conversationSchema })
  async create(
    @Body({ schema: conversationRequestSchema }) { title, user_id }: ConversationRequest,
    @Req() request: FastifyRequest,
  ): Promise<ConversationView> {
    const userId = userAsked(request, user_id);
    return presentConversation(await this.conversations.create({ title, userId }));
  }

  @Get()
  @ApiOperation({ summary: 'Conversations, newest first' })
  @ApiQuery({ name: 'user_id', required: false })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  @ApiQuery({ name: 'before', required: false })
  @ApiResponse({ status: 200, standardSchema: conversationListSchema })
  @ApiProblems(422)
  @SerializeOptions({ schema: conversationListSchema })
  async list(
    @Query({ schema: conversationListQuerySchema }) { limit, before, user_id }: ConversationListQuery,
    @Req() request: FastifyRequest,
  ): Promise<ConversationList> {
    const userId = userAsked(request, user_id);
    const found = await this.conversations.list({ userId, limit, before: before ?? null });
    return {
      conversations: found.map(presentConversation),
      next_before: found.length === limit ? found.at(-1)!.id : null,
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'A conversation with its last messages, oldest first' })
  @ApiQuery({ name: 'user_id', required: false })
  @ApiResponse({ status: 200, standardSchema: conversationWithMessagesSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: conversationWithMessagesSchema })
  async get(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: conversationQuerySchema }) { user_id }: ConversationQuery,
    @Req() request: FastifyRequest,
  ): Promise<ConversationWithMessages> {
    const conversation = await this.conversations.get(id, userAsked(request, user_id));
    const from = Math.max(0, conversation.messageCount - MESSAGES_MAX);
    const messages = await this.conversations.listMessages(id, { from, limit: MESSAGES_MAX });
    return {
      ...presentConversation(conversation),
      summary: conversation.summary,
      messages: messages.map(presentMessage),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a conversation with its messages' })
  @ApiQuery({ name: 'user_id', required: false })
  @ApiResponse({ status: 204, description: 'It is gone' })
  @ApiProblems(404, 422)
  async delete(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: conversationQuerySchema }) { user_id }: ConversationQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.conversations.delete(id, userAsked(request, user_id));
  }
}

function presentConversation(conversation: Conversation): ConversationView {
  return {
    id: conversation.id,
    user_id: conversation.userId,
    title: conversation.title,
    message_count: conversation.messageCount,
    created_at: conversation.createdAt.toISOString(),
    updated_at: conversation.updatedAt.toISOString(),
  };
}

function presentMessage({ role, content, requestId, details, createdAt }: Message) {
  const { status, model } = details as Pick<ConversationWithMessages['messages'][number], 'status' | 'model'>;
  return {
    role,
    content,
    request_id: requestId,
    ...(status && { status }),
    ...(model && { model }),
    created_at: createdAt.toISOString(),
  };
}
