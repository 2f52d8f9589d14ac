import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { startServerApi } from './server-api.js';
import { serverMissing } from './stack.js';
import { startTestApi, type TestApi } from './test-api.js';

const stores = [
  { name: 'embedded', missing: null, start: startTestApi },
  {
    name: 'PostgreSQL behind pgBouncer',
    missing: serverMissing,
    start: (environment: Record<string, string>) => startServerApi(environment),
  },
];

/** The service with its worker in this process, on both engines, with an embedding model that the test commands. */
export interface StoreUnderTest {
  api: TestApi;
  models: MockLlm;
}

export function describeOnEachStore(
  name: string,
  environment: Record<string, string>,
  tests: (open: () => StoreUnderTest) => void,
): void {
  describe.each(stores)(`${name}, $name`, ({ missing, start }) => {
    let store: StoreUnderTest | undefined;

    beforeEach((context) => {
      if (missing) context.skip(missing);
      if (!store) return;
      store.models.release();
      store.models.outage = null;
      store.models.faults.length = 0;
    });

    beforeAll(async () => {
      if (missing) return;
      const models = await MockLlm.start();
      store = { models, api: await start({ ...embeddingsOf(models), ...environment }) };
    });

    afterAll(async () => {
      store?.models.release();
      await store?.api.close();
      await store?.models.close();
    });

    tests(() => store!);
  });
}

/** Settings that make a model server the embedding model. */
export function embeddingsOf(models: MockLlm): Record<string, string> {
  return {
    EMBEDDINGS_BASE_URL: models.url,
    EMBEDDINGS_MODEL: 'letters',
    EMBEDDINGS_DIMENSIONS: String(models.dimensions),
  };
}
