import { Body, Controller, Delete, Get, HttpCode, Param, Post, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type ApiKey, ApiKeyService } from '#libs/access';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  issuedKeySchema,
  type IssuedKeyView,
  type KeyList,
  keyListSchema,
  type KeyView,
  newKeySchema,
  type NewKeyRequest,
  type Rotation,
  rotationSchema,
} from './key.schema.js';

@ApiTags('keys')
@Controller('keys')
export class KeyController {
  constructor(private readonly keys: ApiKeyService) {}

  @Get()
  @ApiOperation({ summary: 'The API keys of the tenant, newest first, without their secrets' })
  @ApiResponse({ status: 200, standardSchema: keyListSchema })
  @SerializeOptions({ schema: keyListSchema })
  async list(): Promise<KeyList> {
    return { keys: (await this.keys.list()).map(presentKey) };
  }

  @Post()
  @ApiOperation({ summary: 'Make an API key' })
  @ApiResponse({ status: 201, standardSchema: issuedKeySchema })
  @ApiProblems(400, 422)
  @SerializeOptions({ schema: issuedKeySchema })
  async create(@Body({ schema: newKeySchema }) body: NewKeyRequest): Promise<IssuedKeyView> {
    const { key, token } = await this.keys.create({
      name: body.name,
      scopes: [...new Set(body.scopes)],
      userId: body.user_id ?? null,
      expiresAt: body.expires_at === undefined ? null : new Date(body.expires_at),
    });
    return { ...presentKey(key), key: token };
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Give a key a new secret; the old one goes on for a while' })
  @ApiResponse({ status: 200, standardSchema: issuedKeySchema })
  @ApiProblems(400, 404, 422)
  @SerializeOptions({ schema: issuedKeySchema })
  async rotate(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: rotationSchema }) body: Rotation,
  ): Promise<IssuedKeyView> {
    const { key, token } = await this.keys.rotate(id, body.overlap_seconds);
    return { ...presentKey(key), key: token };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key: it is refused from now on, by other processes within seconds' })
  @ApiResponse({ status: 204 })
  @ApiProblems(404, 422)
  async revoke(@Param('id', { schema: idSchema }) id: string): Promise<void> {
    await this.keys.revoke(id);
  }
}

function presentKey({ id, name, scopes, userId, createdAt, expiresAt, revokedAt, secrets }: ApiKey): KeyView {
  const uses = secrets.flatMap(({ lastUsedAt }) => lastUsedAt ?? []);
  return {
    key_id: id,
    name,
    scopes: [...scopes],
    user_id: userId,
    created_at: createdAt.toISOString(),
    expires_at: textOf(expiresAt),
    revoked_at: textOf(revokedAt),
    last_used_at: uses.length === 0 ? null : textOf(new Date(Math.max(...uses.map(Number)))),
    secrets: secrets.map((secret) => ({
      prefix: `rs_${secret.publicId}_`,
      created_at: secret.createdAt.toISOString(),
      expires_at: textOf(secret.expiresAt),
      last_used_at: textOf(secret.lastUsedAt),
    })),
  };
}

function textOf(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
