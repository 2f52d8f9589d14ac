import {
  Controller,
  Delete,
  Get,
  Inject,
  Logger,
  type OnModuleDestroy,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  createMcpHandler,
  localhostAllowedOrigins,
  type McpHttpHandler,
  validateOriginHeader,
} from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '#libs/config';
import { RagError } from '#libs/errors';
import { ApiProblems } from '../openapi/api-problems.js';
import { requestSignal } from '../load/request-signal.js';
import { callerOf } from '../access/request-caller.js';
import { asAsker } from './mcp-asker.js';
import { McpServers } from './mcp-server.js';

/** Streamable HTTP, without sessions: any process answers any request. https://modelcontextprotocol.io */
@ApiTags('mcp')
@Controller('mcp')
export class McpController implements OnModuleDestroy {
  private readonly logger = new Logger(McpController.name);
  private readonly handler: McpHttpHandler;
  private readonly origins: ReadonlySet<string>;

  constructor(servers: McpServers, @Inject(CONFIG) { access }: Config) {
    this.origins = new Set(access.corsOrigins);
    this.handler = createMcpHandler(() => servers.create(), {
      onerror: (error) => this.logger.debug('a request of MCP was refused', { error }),
    });
  }

  @Post()
  @ApiOperation({
    summary: 'The Model Context Protocol: search, ask, get_document, index_text, and documents as resources',
    description:
      'JSON-RPC messages of the streamable HTTP transport. `ragstone mcp` serves the same over stdio.',
  })
  @ApiBody({ schema: { type: 'object', description: 'A JSON-RPC message, or a list of them.' } })
  @ApiResponse({
    status: 200,
    content: {
      'application/json': { schema: { type: 'object' } },
      'text/event-stream': { schema: { type: 'string' } },
    },
  })
  @ApiResponse({ status: 202, description: 'A notification was taken' })
  @ApiProblems(400, 403)
  async post(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.serve(request, reply);
  }

  @Get()
  @ApiExcludeEndpoint()
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.serve(request, reply);
  }

  @Delete()
  @ApiExcludeEndpoint()
  async delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.serve(request, reply);
  }

  async onModuleDestroy(): Promise<void> {
    await this.handler.close();
  }

  private async serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.assertOrigin(request.headers.origin);
    const { method, headers, body } = request;
    const asked = new Request(`http://localhost${request.url}`, {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        [value ?? []].flat().map((one) => [name, one]),
      ),
      ...(method === 'POST' && { body: JSON.stringify(body) }),
      signal: requestSignal(reply),
    });
    const { keyId, userId, scopes } = { ...callerOf(request), userId: request.userId };
    const response = await asAsker({ keyId, userId, scopes }, () =>
      this.handler.fetch(asked, { parsedBody: body }),
    );
    await reply.send(response);
  }

  /** A page of another site that makes its name point here (DNS rebinding) is told by its origin. */
  private assertOrigin(origin: string | undefined): void {
    if (origin === undefined || this.origins.has(origin) || this.origins.has('*')) return;
    if (validateOriginHeader(origin, localhostAllowedOrigins()).ok) return;
    throw new RagError(
      'origin_not_allowed',
      'Pages of this origin may not use /mcp. The operator can list it in CORS_ORIGINS.',
    );
  }
}
