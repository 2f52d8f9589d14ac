import { Controller, Get, HttpCode, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '#libs/database';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly database: Database) {}

  @Get('health')
  @HttpCode(200)
  @ApiOperation({ summary: 'The process answers' })
  @ApiResponse({ status: 200 })
  health() {
    return { status: 'ok', uptime_seconds: Math.round(process.uptime()) };
  }

  @Get('ready')
  @ApiOperation({ summary: 'The database answers: requests may come' })
  @ApiResponse({ status: 200 })
  @ApiResponse({ status: 503 })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const start = performance.now();
    const database = await this.database.query({ text: 'select 1 as one' }).then(
      () => 'ok' as const,
      () => 'failed' as const,
    );
    void reply.status(database === 'ok' ? 200 : 503);
    return {
      status: database === 'ok' ? 'ready' : 'not_ready',
      checks: {
        database: {
          status: database,
          engine: this.database.engine,
          ms: Math.round(performance.now() - start),
        },
      },
    };
  }
}
