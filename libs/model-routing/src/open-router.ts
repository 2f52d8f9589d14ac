import type { ModelsConfig } from '#libs/config';
import { openChatModel } from './chat-models.js';
import type { Ledger } from './ledger/ledger.js';
import type { BreakerShare } from './routing/breaker-share.js';
import { ModelRouter } from './routing/model-router.js';
import { RoutedModel } from './routing/routed-model.js';

/** The router over every chat model of the configuration. @throws {RagError} invalid_configuration */
export async function openRouter(
  config: ModelsConfig,
  ledger: Ledger,
  share: BreakerShare,
): Promise<ModelRouter> {
  const models = new Map<string, RoutedModel>();
  for (const model of Object.values(config.models)) {
    if (model.kind === 'chat')
      models.set(model.name, new RoutedModel(model, await openChatModel(model), share));
  }
  share.subscribe((name, state) => models.get(name)?.breaker.hear(state));
  return new ModelRouter(models, ledger, config);
}
