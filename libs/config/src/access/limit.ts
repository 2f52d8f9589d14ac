import { z } from 'zod';

/** A token bucket: what flows into it, and how much it holds. */
export interface Limit {
  perSecond: number;
  burst: number;
}

const seconds = { s: 1, min: 60, h: 3_600 };
const FORM = /^(\d{1,7})\/(s|min|h)(?: burst (\d{1,7}))?$/;
const ADVICE = 'must be like "100/s burst 200", "10/min", or off';

/** Null: no limit. Undefined: not of that form. */
function parseLimit(text: string): Limit | null | undefined {
  if (text === 'off') return null;
  const [, count, unit, burst] = FORM.exec(text) ?? [];
  if (!count || Number(count) < 1 || Number(burst ?? count) < 1) return undefined;
  return { perSecond: Number(count) / seconds[unit as keyof typeof seconds], burst: Number(burst ?? count) };
}

export const limit = z.string().transform((text, context) => {
  const parsed = parseLimit(text);
  if (parsed === undefined) context.addIssue(ADVICE);
  return parsed ?? null;
});

/** `POST /agent/invoke=10/min, POST /query=5/s burst 20` */
export const routeLimits = z.string().transform((text, context) => {
  const limits: Record<string, Limit> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '' || part.trim() === 'off') continue;
    const [route = '', limitText = ''] = part.split('=').map((side) => side.trim());
    const parsed = parseLimit(limitText);
    if (!/^(GET|POST|PATCH|PUT|DELETE) \/\S*$/.test(route) || !parsed) {
      context.addIssue(
        `must be like "POST /agent/invoke=10/min", with commas between: "${part.trim()}" is not`,
      );
      continue;
    }
    limits[route] = parsed;
  }
  return limits;
});
