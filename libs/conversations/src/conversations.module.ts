import { Module } from '@nestjs/common';
import { Database, DatabaseModule } from '#libs/database';
import { ConversationRepository } from './conversation.repository.js';

@Module({
  imports: [DatabaseModule],
  providers: [
    {
      provide: ConversationRepository,
      inject: [Database],
      useFactory: (database: Database) => new ConversationRepository(database),
    },
  ],
  exports: [ConversationRepository],
})
export class ConversationsModule {}
