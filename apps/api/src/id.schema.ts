import { z } from 'zod';

export const idSchema = z.uuid('the id must be a UUID');
