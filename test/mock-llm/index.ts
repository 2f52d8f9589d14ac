export type { Fault, ScriptedFault } from './fault.js';
export { defaultResponder, type Responder } from './default-responder.js';
export { MockLlm, type Bill, type MockLlmOptions, type RecordedRequest } from './mock-llm.js';
