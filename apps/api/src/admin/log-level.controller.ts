import { hostname } from 'node:os';
import { Body, Controller, Get, Put, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { LogLevel } from '#libs/observability';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type LogLevelRequest,
  logLevelRequestSchema,
  type LogLevelResponse,
  logLevelResponseSchema,
} from './log-level.schema.js';

@ApiTags('admin')
@Controller('admin/log-level')
export class LogLevelController {
  constructor(private readonly logLevel: LogLevel) {}

  @Get()
  @ApiOperation({ summary: "The level of this process's log" })
  @ApiResponse({ status: 200, standardSchema: logLevelResponseSchema })
  @SerializeOptions({ schema: logLevelResponseSchema })
  read(): LogLevelResponse {
    const { level, configured, resetsAt } = this.logLevel.state;
    return {
      level,
      configured,
      resets_at: resetsAt?.toISOString() ?? null,
      process: { host: hostname(), pid: process.pid },
    };
  }

  @Put()
  @ApiOperation({ summary: 'Change it, for a while or until the process ends' })
  @ApiResponse({ status: 200, standardSchema: logLevelResponseSchema })
  @ApiProblems(400, 422)
  @SerializeOptions({ schema: logLevelResponseSchema })
  change(@Body({ schema: logLevelRequestSchema }) { level, for_seconds }: LogLevelRequest): LogLevelResponse {
    this.logLevel.set(level, for_seconds);
    return this.read();
  }
}
