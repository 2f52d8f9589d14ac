import { database } from './database.js';
import { indexing } from './indexing.js';
import { models } from './models.js';
import { overview } from './overview.js';
import { retrieval } from './retrieval.js';

export const dashboards = [overview, retrieval, indexing, models, database];
