import type { Database } from '#libs/database';
import type { OpenBudget } from './budgets.js';
import type { ModelCall } from './model-call.js';

export interface Reservation {
  callId: string;
  model: string;
  provider: string;
  keyId: string | null;
  microUsd: number;
  budgets: readonly OpenBudget[];
  /** After this long without being settled its process is taken for dead. */
  expiresInMs: number;
}

/** A call with the budgets that pay for it. */
export type SettledCall = ModelCall & { budgets: readonly OpenBudget[] };

export const usageGroups = ['model', 'key', 'day', 'purpose', 'outcome'] as const;
export type UsageGroup = (typeof usageGroups)[number];

export interface UsageRow {
  group: Partial<Record<UsageGroup, string | null>>;
  calls: number;
  failedCalls: number;
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  estimatedCalls: number;
  /** Calls of models without a price: their cost is not in the sum. */
  unpricedCalls: number;
  costMicroUsd: number;
}

const groupColumns: Record<UsageGroup, string> = {
  model: 'model',
  key: 'key_id',
  day: `to_char(created_at at time zone 'utc', 'YYYY-MM-DD')`,
  purpose: 'purpose',
  outcome: 'outcome',
};

/** The ledger: attempts, and what budgets have reserved and spent. */
export class ModelCallRepository {
  constructor(private readonly database: Database) {}

  /**
   * Takes the amount from every budget, or from none. The rows are locked in one order, so that calls at the same time
   * see what the others took and never wait for each other in a circle.
   * @returns null, or the first budget that has no room
   */
  async reserve(reservation: Reservation): Promise<OpenBudget | null> {
    const { budgets } = reservation;
    const refused = await this.tryReserve(reservation);
    if (refused !== 'missing') return budgets.find(({ name }) => name === refused) ?? null;
    await this.open(budgets);
    const again = await this.tryReserve(reservation);
    return budgets.find(({ name }) => name === again) ?? null;
  }

  private async tryReserve({ callId, model, provider, keyId, microUsd, budgets, expiresInMs }: Reservation) {
    const [row] = await this.database.query<{ found: boolean; refused: string | null }>({
      name: 'model_budget_reserve',
      text: `
        with wanted as (
          select * from unnest($1::text[], $2::date[], $3::bigint[]) as w (budget, period_start, most)
        ),
        locked as (
          select b.budget, b.spent_micro_usd + b.reserved_micro_usd + $4::bigint > w.most as is_full
          from model_budgets b join wanted w using (budget, period_start)
          order by b.budget, b.period_start
          for update of b
        ),
        verdict as (
          select count(*) = (select count(*) from wanted) as found, min(budget) filter (where is_full) as refused
          from locked
        ),
        raised as (
          update model_budgets b set reserved_micro_usd = b.reserved_micro_usd + $4::bigint
          from wanted w, verdict v
          where b.budget = w.budget and b.period_start = w.period_start and v.found and v.refused is null
          returning b.budget
        ),
        noted as (
          insert into model_reservations (call_id, budget, period_start, micro_usd, model, provider, key_id, expires_at)
          select $5::uuid, w.budget, w.period_start, $4::bigint, $6::text, $7::text, $8::text,
            now() + $9::double precision * interval '1 millisecond'
          from wanted w, verdict v
          where v.found and v.refused is null
        )
        select found, refused from verdict`,
      values: [
        budgets.map(({ name }) => name),
        budgets.map(({ periodStart }) => periodStart),
        budgets.map(({ microUsdMax }) => microUsdMax),
        microUsd,
        callId,
        model,
        provider,
        keyId,
        expiresInMs,
      ],
    });
    return row!.found ? row!.refused : 'missing';
  }

  private async open(budgets: readonly OpenBudget[]): Promise<void> {
    await this.database.query({
      text: `
        insert into model_budgets (budget, period_start)
        select * from unnest($1::text[], $2::date[]) as w (budget, period_start)
        order by 1, 2
        on conflict do nothing`,
      values: [budgets.map(({ name }) => name), budgets.map(({ periodStart }) => periodStart)],
    });
  }

  /** Writes the attempts, lets go of what they reserved and books what they cost, in one statement. Safe to run twice. */
  async settle(calls: readonly SettledCall[]): Promise<void> {
    if (calls.length === 0) return;
    await this.database.query({
      name: 'model_calls_settle',
      text: `
        with given as (
          select * from jsonb_to_recordset($1::jsonb) as c (
            id uuid, request_id text, key_id text, purpose text, kind text, model text, provider text,
            provider_model text, attempt integer, outcome text, failure_kind text, is_streamed boolean,
            is_hedge boolean, input_tokens integer, cached_input_tokens integer, output_tokens integer,
            reasoning_tokens integer, is_estimated boolean, cost_micro_usd bigint, latency_ms integer,
            first_token_ms integer, budgets jsonb
          )
        ),
        written as (
          insert into model_calls (id, request_id, key_id, purpose, kind, model, provider, provider_model, attempt,
            outcome, failure_kind, is_streamed, is_hedge, input_tokens, cached_input_tokens, output_tokens,
            reasoning_tokens, is_estimated, cost_micro_usd, latency_ms, first_token_ms)
          select id, request_id, key_id, purpose, kind, model, provider, provider_model, attempt,
            outcome, failure_kind, is_streamed, is_hedge, input_tokens, cached_input_tokens, output_tokens,
            reasoning_tokens, is_estimated, cost_micro_usd, latency_ms, first_token_ms
          from given
          on conflict (id) do nothing
          returning id
        ),
        released as (
          delete from model_reservations r using given g where r.call_id = g.id
          returning r.budget, r.period_start, r.micro_usd
        ),
        change as (
          select budget, period_start, -micro_usd as reserved, 0::bigint as spent from released
          union all
          select b.budget, b.period_start, 0, g.cost_micro_usd
          from given g join written using (id),
            jsonb_to_recordset(g.budgets) as b (budget text, period_start date)
          where g.cost_micro_usd > 0
        )
        insert into model_budgets as m (budget, period_start, reserved_micro_usd, spent_micro_usd)
        select budget, period_start, sum(reserved), sum(spent) from change group by 1, 2 order by 1, 2
        on conflict (tenant_id, budget, period_start) do update
        set reserved_micro_usd = m.reserved_micro_usd + excluded.reserved_micro_usd,
          spent_micro_usd = m.spent_micro_usd + excluded.spent_micro_usd`,
      values: [JSON.stringify(calls.map(toRow))],
    });
  }

  async release(callId: string): Promise<void> {
    await this.database.query({
      text: `
        with released as (
          delete from model_reservations where call_id = $1::uuid returning budget, period_start, micro_usd
        ),
        locked as (
          select b.budget, b.period_start, r.micro_usd
          from model_budgets b join released r using (budget, period_start)
          order by 1, 2
          for update of b
        )
        update model_budgets b set reserved_micro_usd = b.reserved_micro_usd - l.micro_usd
        from locked l where b.budget = l.budget and b.period_start = l.period_start`,
      values: [callId],
    });
  }

  /**
   * What processes reserved and never settled counts as spent, in full: the provider may have done the work.
   * @returns how many calls were lost
   */
  async bookLost(): Promise<number> {
    const rows = await this.database.query({
      text: `
        with gone as (
          delete from model_reservations where expires_at < now() returning *
        ),
        written as (
          insert into model_calls (id, key_id, purpose, kind, model, provider, attempt, outcome, is_streamed, is_hedge,
            input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, is_estimated, cost_micro_usd, latency_ms)
          select distinct on (call_id) call_id, key_id, 'answer', 'chat', model, provider, 1, 'lost', false, false,
            0, 0, 0, 0, true, micro_usd, 0
          from gone
          on conflict (id) do nothing
          returning id
        ),
        change as (
          select budget, period_start, sum(micro_usd) as micro_usd from gone group by 1, 2 order by 1, 2
        ),
        booked as (
          insert into model_budgets as m (budget, period_start, reserved_micro_usd, spent_micro_usd)
          select budget, period_start, -micro_usd, micro_usd from change
          on conflict (tenant_id, budget, period_start) do update
          set reserved_micro_usd = m.reserved_micro_usd + excluded.reserved_micro_usd,
            spent_micro_usd = m.spent_micro_usd + excluded.spent_micro_usd
        )
        select id from written`,
    });
    return rows.length;
  }

  async readBudgets(): Promise<
    { budget: string; periodStart: string; spentMicroUsd: number; reservedMicroUsd: number }[]
  > {
    const rows = await this.database.query<{
      budget: string;
      start: string;
      spent: string;
      reserved: string;
    }>({
      text: `
        select budget, to_char(period_start, 'YYYY-MM-DD') as start, spent_micro_usd as spent, reserved_micro_usd as reserved
        from model_budgets order by 1, 2`,
    });
    return rows.map(({ budget, start, spent, reserved }) => ({
      budget,
      periodStart: start,
      spentMicroUsd: Number(spent),
      reservedMicroUsd: Number(reserved),
    }));
  }

  /** Sums over [from, to), in the order of the groups. */
  async summarize(groups: readonly UsageGroup[], from: Date, to: Date): Promise<UsageRow[]> {
    const columns = groups.map((group, index) => `${groupColumns[group]} as group_${index}`);
    const rows = await this.database.query<Record<string, string | null>>({
      text: `
        select ${columns.map((column) => `${column},`).join(' ')}
          count(*) as calls, count(*) filter (where outcome = 'failed') as failed_calls,
          coalesce(sum(input_tokens), 0) as input_tokens, coalesce(sum(cached_input_tokens), 0) as cached_input_tokens,
          coalesce(sum(output_tokens), 0) as output_tokens, coalesce(sum(reasoning_tokens), 0) as reasoning_tokens,
          count(*) filter (where is_estimated) as estimated_calls,
          count(*) filter (where cost_micro_usd is null) as unpriced_calls,
          coalesce(sum(cost_micro_usd), 0) as cost_micro_usd
        from model_calls
        where created_at >= $1::timestamptz and created_at < $2::timestamptz
        ${groups.length > 0 ? `group by ${groups.map((_, index) => index + 1).join(', ')}` : ''}
        ${groups.length > 0 ? `order by ${groups.map((_, index) => `${index + 1} nulls first`).join(', ')}` : ''}`,
      values: [from.toISOString(), to.toISOString()],
    });
    return rows.map((row) => ({
      group: Object.fromEntries(groups.map((group, index) => [group, row[`group_${index}`] ?? null])),
      calls: Number(row.calls),
      failedCalls: Number(row.failed_calls),
      inputTokens: Number(row.input_tokens),
      cachedInputTokens: Number(row.cached_input_tokens),
      outputTokens: Number(row.output_tokens),
      reasoningTokens: Number(row.reasoning_tokens),
      estimatedCalls: Number(row.estimated_calls),
      unpricedCalls: Number(row.unpriced_calls),
      costMicroUsd: Number(row.cost_micro_usd),
    }));
  }
}

function toRow(call: SettledCall) {
  return {
    id: call.id,
    request_id: call.requestId,
    key_id: call.keyId,
    purpose: call.purpose,
    kind: call.kind,
    model: call.model,
    provider: call.provider,
    provider_model: call.providerModel,
    attempt: call.attempt,
    outcome: call.outcome,
    failure_kind: call.failureKind,
    is_streamed: call.isStreamed,
    is_hedge: call.isHedge,
    input_tokens: call.usage.inputTokens,
    cached_input_tokens: call.usage.cachedInputTokens,
    output_tokens: call.usage.outputTokens,
    reasoning_tokens: call.usage.reasoningTokens,
    is_estimated: call.isEstimated,
    cost_micro_usd: call.costMicroUsd,
    latency_ms: Math.round(call.latencyMs),
    first_token_ms: call.firstTokenMs === null ? null : Math.round(call.firstTokenMs),
    budgets: call.budgets.map(({ name, periodStart }) => ({ budget: name, period_start: periodStart })),
  };
}
