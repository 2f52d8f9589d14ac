export {
  type Conversation,
  ConversationRepository,
  type Message,
  type NewMessage,
} from './conversation.repository.js';
export { ConversationsModule } from './conversations.module.js';
