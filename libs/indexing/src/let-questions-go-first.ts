import { constants, setPriority } from 'node:os';

/**
 * For a process that indexes: where it shares a machine with the api, questions go first. Threads that exist already keep
 * their priority on Linux, so this comes at the start.
 */
export function letQuestionsGoFirst(): void {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}
