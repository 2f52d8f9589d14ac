import { type DashboardSpec, own, p95By, quantiles, rate, share } from '../panel.js';

export const retrieval: DashboardSpec = {
  uid: 'ragstone-retrieval',
  title: 'Ragstone: retrieval',
  rows: [
    {
      title: 'Where the time goes',
      panels: [
        {
          title: 'p95 by stage',
          description:
            'Of one question: embed, vector, lexical, fuse, rerank, the model, verify. The one that grew is the cause.',
          unit: 's',
          span: 12,
          targets: p95By('ragstone_stage_duration_seconds', 'stage'),
        },
        {
          title: 'Seconds a second by stage',
          description: 'How much of the time of all questions each stage takes.',
          unit: 'short',
          span: 12,
          targets: rate('ragstone_stage_duration_seconds_sum', 'stage'),
        },
      ],
    },
    {
      title: 'Vector search',
      panels: [
        {
          title: 'Searches by method',
          description:
            'exact: every chunk of the scope is measured; much of it in a large collection: its index is not built yet.',
          unit: 'ops',
          targets: rate('ragstone_vector_searches_total', 'method'),
        },
        {
          title: 'Time in the database',
          description:
            'Of a vector search, without embedding the question. Above 100 ms: the index does not fit into memory, or none is there.',
          unit: 's',
          limits: { warnAbove: 0.1 },
          targets: quantiles('vector_search_duration_seconds'),
        },
        {
          title: 'Fewer than k',
          description:
            'healed="true": the index gave up early and an exact search found the rest; "false": no more exist.',
          unit: 'ops',
          targets: rate('ragstone_vector_searches_short_total', 'healed'),
        },
      ],
    },
    {
      title: 'Embedding questions',
      panels: [
        {
          title: 'Questions in a batch',
          description: 'That are embedded in one call: 1 while there is little to do, more under load.',
          unit: 'short',
          targets: [
            {
              expr: `sum(rate(ragstone_embedding_batch_texts_sum{${own}}[$__rate_interval])) / sum(rate(ragstone_embedding_batch_texts_count{${own}}[$__rate_interval]))`,
            },
          ],
        },
        {
          title: 'Waiting for a batch',
          description:
            'Before a question is embedded with others; at most EMBEDDING_BATCH_WAIT_MS, unless the server is behind.',
          unit: 's',
          limits: { warnAbove: 0.25 },
          targets: quantiles('ragstone_embedding_batch_wait_seconds'),
        },
        {
          title: 'Requests to embedding servers',
          description:
            'By outcome. failed: questions that are not in the cache of vectors fail with 503 meanwhile.',
          unit: 'ops',
          targets: rate('ragstone_embedding_calls_total', 'model, outcome'),
        },
      ],
    },
    {
      title: 'Citations',
      panels: [
        {
          title: 'Citations',
          description: 'That models gave, by whether their words stand in the source.',
          unit: 'ops',
          span: 12,
          targets: rate('ragstone_citations_total', 'verified'),
        },
        {
          title: 'Removed, since not in the source',
          description:
            'No reader sees them, but answers get thin. Red from where RagstoneCitationsUnverified fires.',
          unit: 'percentunit',
          span: 12,
          limits: { warnAbove: 0.1, badAbove: 0.2 },
          targets: share(
            `ragstone_citations_total{verified="false",${own}}`,
            `ragstone_citations_total{${own}}`,
          ),
        },
      ],
    },
  ],
};
