import { ROBOT_NAME } from '../user-agent.js';

/** What a page asks of robots, by its meta element or its X-Robots-Tag header. */
export interface RobotDirectives {
  isIndexed: boolean;
  isFollowed: boolean;
}

/** Directives with a value look like a robot's name before its directives. */
const withValue = new Set(['unavailable_after', 'max-snippet', 'max-image-preview', 'max-video-preview']);

/** @param tags such as `noindex, nofollow` or `otherbot: noindex`, which is for another robot */
export function robotDirectives(tags: readonly string[]): RobotDirectives {
  const directives = new Set(tags.flatMap(directivesForUs));
  const none = directives.has('none');
  return {
    isIndexed: !none && !directives.has('noindex'),
    isFollowed: !none && !directives.has('nofollow'),
  };
}

function directivesForUs(tag: string): string[] {
  let isForUs = true;
  return tag
    .toLowerCase()
    .split(',')
    .flatMap((part) => {
      const named = /^\s*([\w-]+)\s*:(.*)$/.exec(part);
      if (!named || withValue.has(named[1]!)) return isForUs ? part.trim() : [];
      isForUs = named[1] === ROBOT_NAME.toLowerCase();
      return isForUs ? named[2]!.trim() : [];
    });
}
