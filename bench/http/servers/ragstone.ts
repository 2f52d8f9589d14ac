import 'reflect-metadata';
import { createApp, listen } from '#apps/api';
import { ApiKeyService } from '#libs/access';
import { readConfig } from '#libs/config';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import { QueryService } from '#libs/query';
import { answerParent } from './answer-parent.js';

/** The service with a key for its clients; with BENCH_WITHOUT_SEARCH its searches find nothing, at no cost. */
if (process.env.BENCH_WITHOUT_SEARCH) {
  const nothing = {
    sources: [],
    timings: { embedMs: 0.5, vectorMs: 0.25, lexicalMs: 0.25, rankMs: 0.25 },
    degradedReasons: [],
    texts: [],
    spent: { inputTokens: 0, outputTokens: 0, isEstimated: false, costMicroUsd: 0 },
  };
  QueryService.prototype.search = () => Promise.resolve(nothing);
}

const config = readConfig();
const app = await createApp(config);
const key = await runAsTenant(DEFAULT_TENANT, () =>
  app
    .get(ApiKeyService, { strict: false })
    .create({ name: 'bench', scopes: ['query', 'index'], userId: null, expiresAt: null }),
);
const url = await listen(app, config.http);
answerParent({ url, key: key.token }, () => app.close());
