import { Body, Controller, HttpCode, Param, Post, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { FeedbackService } from '#libs/observability';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type FeedbackRequest,
  feedbackRequestSchema,
  type FeedbackResponse,
  feedbackResponseSchema,
  requestIdSchema,
} from './feedback.schema.js';

@ApiTags('questions')
@Controller('query')
export class FeedbackController {
  constructor(private readonly feedback: FeedbackService) {}

  @Post(':request_id/feedback')
  @HttpCode(200)
  @ApiOperation({ summary: 'Say whether an answer was good; a second time changes the first' })
  @ApiResponse({ status: 200, standardSchema: feedbackResponseSchema })
  @ApiProblems(400, 404, 422, 503)
  @SerializeOptions({ schema: feedbackResponseSchema })
  async give(
    @Param('request_id', { schema: requestIdSchema }) requestId: string,
    @Body({ schema: feedbackRequestSchema }) { thumb, comment }: FeedbackRequest,
  ): Promise<FeedbackResponse> {
    const given = await this.feedback.give(requestId, thumb, comment ?? null);
    return {
      request_id: given.requestId,
      thumb: given.thumb,
      comment: given.comment,
      created_at: given.createdAt.toISOString(),
      updated_at: given.updatedAt.toISOString(),
    };
  }
}
