export { AgentModule } from './agent.module.js';
export { type AgentAnswer, type AgentEvent, type AgentQuestion, type AgentStep } from './agent-answer.js';
export { AgentService } from './agent.service.js';
