import { Controller, Get, HttpCode, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthService, presentReadiness } from '#libs/health';
import { liveResponseSchema, readyResponseSchema } from './health.schema.js';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly healthService: HealthService) {}

  @Get('health')
  @HttpCode(200)
  @ApiOperation({ summary: 'The process answers; depends on nothing else' })
  @ApiResponse({ status: 200, standardSchema: liveResponseSchema })
  health() {
    return { status: 'ok', uptime_seconds: Math.round(process.uptime()) };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Requests may come; each thing they need, with its time and what is wrong with it',
  })
  @ApiResponse({ status: 200, standardSchema: readyResponseSchema })
  @ApiResponse({ status: 503, standardSchema: readyResponseSchema })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const readiness = await this.healthService.readiness();
    void reply.status(readiness.status === 'ready' ? 200 : 503);
    return presentReadiness(readiness);
  }
}
