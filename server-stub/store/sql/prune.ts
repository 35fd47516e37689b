import type { Transaction } from "kysely";
import type { EpochMs } from "../../../protocol/time.ts";
import type { Prunable } from "../records.ts";
import type { Tables } from "./tables.ts";
import type { Transact } from "./transact.ts";

type On = Transaction<Tables>;
type Asked = { readonly before: EpochMs; readonly limit: number; readonly keep: number };

/**
 * `Store.prune` on SQL, in one transaction. Run now and then only, so that its queries are not prepared. `reclaim`
 * gives the room that came free back to the disk.
 */
export async function prune(
  transact: Transact,
  what: Prunable,
  asked: Asked,
  reclaim: () => void,
): Promise<number> {
  const gone = await transact((on) => PRUNE[what](on, asked));
  if (gone > 0) reclaim();
  return gone;
}

const PRUNE: Readonly<Record<Prunable, (on: On, asked: Asked) => Promise<number>>> = {
  jobs: pruneJobs,
  rollouts: pruneRollouts,
  async audit(on, { before, limit }) {
    const old = on.selectFrom("audit").select("id").where("at", "<", before).orderBy("at").limit(limit);
    return count(await on.deleteFrom("audit").where("id", "in", old).executeTakeFirst());
  },
  async alerts(on, { before, limit }) {
    const old = on
      .selectFrom("alert")
      .select("id")
      .where("resolved_at", "<", before)
      .orderBy("resolved_at")
      .limit(limit);
    return count(await on.deleteFrom("alert").where("id", "in", old).executeTakeFirst());
  },
  /** From the oldest on, as far as they may go. The newest stays: by it the next reader knows where it begins. */
  async events(on, { before, limit, keep }) {
    const newest = await on
      .selectFrom("event")
      .select((eb) => eb.fn.max("id").as("id"))
      .executeTakeFirst();
    const newestId = Number(newest?.id ?? 0);
    const first = await on.selectFrom("event").select(["id", "at"]).orderBy("id").limit(limit).execute();
    const last = first.findLast(({ id, at }) => id < newestId && (at < before || id <= newestId - keep));
    if (last === undefined) return 0;
    return count(await on.deleteFrom("event").where("id", "<=", last.id).executeTakeFirst());
  },
  async deliveries(on, { before, limit }) {
    const old = on
      .selectFrom("delivery")
      .select("id")
      .where("waiting", "=", 0)
      .where("ended_at", "<", before)
      .orderBy("ended_at")
      .limit(limit);
    return count(await on.deleteFrom("delivery").where("id", "in", old).executeTakeFirst());
  },
};

/** Line by line from the end of each log: a job goes when its log is gone, so that no step is larger than the limit. */
async function pruneJobs(on: On, { before, limit }: Asked): Promise<number> {
  const jobs = await on
    .selectFrom("job")
    .select("id")
    .where("ended_at", "<", before)
    .where((eb) =>
      eb.or([
        eb("rollout_id", "is", null),
        eb("rollout_id", "not in", eb.selectFrom("rollout").select("id").where("unfinished", "=", 1)),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb.exists(
          eb
            .selectFrom("job as later")
            .select("later.id")
            .whereRef("later.node_id", "=", "job.node_id")
            .whereRef("later.diagnosis", "=", "job.diagnosis")
            .whereRef("later.seq", ">", "job.seq"),
        ),
        eb.not(eb.exists(eb.selectFrom("node").select("node.id").whereRef("node.id", "=", "job.node_id"))),
      ]),
    )
    .orderBy("ended_at")
    .limit(limit)
    .execute();
  let gone = 0;
  for (const { id } of jobs) {
    if (gone >= limit) break;
    const last = await on
      .selectFrom("job_log")
      .select((eb) => eb.fn.max("line").as("line"))
      .where("job_id", "=", id)
      .executeTakeFirst();
    const lines = (last?.line ?? -1) + 1;
    const from = Math.max(0, lines - (limit - gone));
    if (lines > 0) {
      const lost = on.deleteFrom("job_log").where("job_id", "=", id).where("line", ">=", from);
      gone += count(await lost.executeTakeFirst());
    }
    if (from === 0 && gone < limit)
      gone += count(await on.deleteFrom("job").where("id", "=", id).executeTakeFirst());
  }
  return gone;
}

/**
 * In the order in which they were started, so that one that took long may keep those after it for as long. Its nodes
 * go first, from the last one on.
 */
async function pruneRollouts(on: On, { before, limit }: Asked): Promise<number> {
  const over = await on
    .selectFrom("rollout")
    .select(["id", "body"])
    .where("unfinished", "=", 0)
    .orderBy("seq")
    .limit(limit)
    .execute();
  let gone = 0;
  for (const { id, body } of over) {
    if (gone >= limit) break;
    const { endedAt } = JSON.parse(body) as { endedAt: number | null };
    if (endedAt === null || endedAt >= before) continue;
    const last = await on
      .selectFrom("rollout_node")
      .select((eb) => eb.fn.max("position").as("position"))
      .where("rollout_id", "=", id)
      .executeTakeFirst();
    const nodes = (last?.position ?? -1) + 1;
    const from = Math.max(0, nodes - (limit - gone));
    if (nodes > 0) {
      const lost = on.deleteFrom("rollout_node").where("rollout_id", "=", id).where("position", ">=", from);
      gone += count(await lost.executeTakeFirst());
    }
    if (from === 0 && gone < limit)
      gone += count(await on.deleteFrom("rollout").where("id", "=", id).executeTakeFirst());
  }
  return gone;
}

const count = (result: { readonly numDeletedRows: bigint } | undefined): number =>
  Number(result?.numDeletedRows ?? 0n);
