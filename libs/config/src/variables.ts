import { z } from 'zod';

export const port = z.coerce.number('must be a number').int().min(0).max(65_535);
export const positive = z.coerce.number('must be a number').int().min(1);
export const url = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

/** Items with commas between them. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (text: string | undefined) => (text ?? '').split(',').flatMap((part) => part.trim() || []),
    z.array(item),
  );

export const network = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be networks as address/bits, such as 10.1.0.0/16, with commas between them',
});
