export type { Fault, ScriptedFault } from './fault.js';
export { defaultResponder, type Responder } from './default-responder.js';
export type { Bill } from './bill.js';
export { MockLlm, type MockLlmOptions, type RecordedRequest } from './mock-llm.js';
