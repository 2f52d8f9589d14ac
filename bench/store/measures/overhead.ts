import { Pool } from 'pg';
import { sendBare, sendWithSettings, settingsSql } from '../bare-loop.js';
import { interleave, cpuPerQuery, ratio, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { recordStatements } from '../record-statements.js';
import { goal, shown, table, thousands, times } from '../report.js';
import { runQueries } from '../run-queries.js';

const ROUNDS = 5;
const CLIENTS = 4;
const OVERHEAD_MAX = 1.25;

/** What `Retriever` costs beside its own statements, sent by a loop that does nothing else. */
export const measureOverhead: Measure = async (store) => {
  const recorded = await recordStatements(store, 'hybrid');
  const pool = new Pool({ connectionString: store.bench.urls.direct, max: CLIENTS * 2 });
  const prepared = new Pool({ connectionString: store.bench.urls.direct, max: CLIENTS * 2 });
  const { settings } = recorded.at(0)!.find(({ settings: own }) => 'hnsw.ef_search' in own)!;
  prepared.on('connect', (client) => void client.query(sessionSql(settings)));
  const count = store.questions.length;
  try {
    const costs = await interleave(ROUNDS, {
      service: () =>
        runQueries(store.cpu, count, CLIENTS, (index) =>
          store.direct.retriever.retrieve(store.retrieval(index, 'hybrid')),
        ),
      settings: () =>
        runQueries(store.cpu, count, CLIENTS, (index) => sendWithSettings(pool, recorded[index]!)),
      bare: () => runQueries(store.cpu, count, CLIENTS, (index) => sendBare(prepared, recorded[index]!)),
    });
    const overSettings = ratio(costs.service, costs.settings, cpuPerQuery);
    const overBare = ratio(costs.service, costs.bare, cpuPerQuery);
    const row = (name: string, key: keyof typeof costs, against: number) => [
      name,
      shown(typical(costs[key], ({ node }) => node)),
      shown(typical(costs[key], ({ postgres }) => postgres)),
      shown(typical(costs[key], cpuPerQuery)),
      thousands(typical(costs[key], ({ elapsed }) => (count * 1_000) / elapsed)),
      times(against),
    ];
    const statements = recorded.reduce((sum, list) => sum + list.length, 0) / count;
    return {
      title: 'Overhead of the service',
      body: `${goal(`\`Retriever.retrieve\` costs at most ${OVERHEAD_MAX} x the processor time of its own SQL in a bare \`pg\` loop`, overSettings <= OVERHEAD_MAX)}

Hybrid mode, ${thousands(store.size)} chunks, the question's vector given, ${CLIENTS} clients, direct connections; ${shown(statements)} statements a question
(nearest, lexical, the missing distances, the texts). The first floor sends the same settings (tenant, time limits, \`hnsw.*\`)
the usual way: \`begin; select set_config(...)\`, the statement, \`commit\`. The second has them set for the session, once, which
a transaction pooler does not allow, and does nothing with the rows.

${table(
  ['', 'node ms', 'PostgreSQL ms', 'CPU ms/query', 'queries/s', 'service against it'],
  [
    row('`Retriever.retrieve`', 'service', 1),
    row('same SQL, `begin; set_config; ...; commit`', 'settings', overSettings),
    row('same SQL, settings of the session', 'bare', overBare),
  ],
)}`,
    };
  } finally {
    await pool.end();
    await prepared.end();
  }
};

/** All but `enable_sort`, which is meant for one of the statements only. */
function sessionSql(settings: Record<string, string>): string {
  return settingsSql(
    Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'enable_sort')),
    false,
  );
}
