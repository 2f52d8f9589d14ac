import { projectVersion } from '#libs/project-files';

/** The name that robots.txt may speak to. */
export const ROBOT_NAME = 'Ragstone';

/** @param contact a URL or an e-mail address of the operator */
export function userAgent(contact: string | null): string {
  return `${ROBOT_NAME}/${projectVersion()}${contact ? ` (+${contact})` : ''}`;
}
