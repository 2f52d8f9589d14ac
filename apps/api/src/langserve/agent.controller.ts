import { Controller } from '@nestjs/common';
import { AgentChain } from './agent-chain.js';
import { LangServeController } from './langserve.controller.js';

@Controller('agent')
export class AgentController extends LangServeController {
  constructor(protected readonly chain: AgentChain) {
    super();
  }
}
