import { Controller } from '@nestjs/common';
import { LangServeController } from './langserve.controller.js';
import { RagChain } from './rag-chain.js';

@Controller('rag')
export class RagController extends LangServeController {
  constructor(protected readonly chain: RagChain) {
    super();
  }
}
