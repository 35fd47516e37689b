/**
 * Rollouts: a head, and a row for each of its nodes. Ten thousand nodes are neither written nor read anew because one
 * of them moved: a row knows at which revision of its rollout it was written, and what was read is kept.
 */
import { type Kysely, sql } from "kysely";
import type { RolloutId } from "../../../protocol/names.ts";
import {
  isUnfinished,
  type Place,
  type RolloutHead,
  type RolloutRecord,
} from "../../core/rollout/rollout.ts";
import type { Change, Stored } from "../records.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Tables } from "./tables.ts";

export type Rollouts = {
  /** Within a transaction. False: its expectation does not hold. */
  write(runner: Runner, change: Extract<Change, { kind: "rollout" }>): Promise<boolean>;
  readonly get: (id: RolloutId) => Promise<Stored<RolloutRecord> | null>;
  readonly heads: () => Promise<readonly Stored<RolloutHead>[]>;
  unfinished(): Promise<readonly Stored<RolloutRecord>[]>;
};

/** Rollouts that are kept as they were read last. */
const KEPT = 32;
/** Values in one statement are limited; places are inserted in parts. */
const ROWS_AT_ONCE = 200;

export function rolloutsOf(db: Kysely<Tables>): Rollouts {
  const query = statements(db);
  const kept = new Map<RolloutId, Stored<RolloutRecord>>();

  const keep = (stored: Stored<RolloutRecord>): Stored<RolloutRecord> => {
    const { id } = stored.value;
    kept.delete(id);
    kept.set(id, stored);
    if (kept.size > KEPT)
      for (const oldest of [...kept.keys()].slice(0, kept.size - KEPT)) kept.delete(oldest);
    return stored;
  };

  const read = async (id: RolloutId): Promise<Stored<RolloutRecord> | null> => {
    for (;;) {
      const head = (await query.head(db, { id })).rows[0];
      if (head === undefined) return null;
      const before = kept.get(id);
      if (before?.revision === head.revision) return before;
      const rows = (await query.nodesSince(db, { id, after: before?.revision ?? 0 })).rows;
      // Written between the two reads: both are done again.
      if (rows.some((row) => row.revision > head.revision)) continue;
      const nodes = [...(before?.value.nodes ?? [])];
      for (const { position, body } of rows) nodes[position] = JSON.parse(body) as Place;
      const same = rows.length === 0 && before !== undefined ? before.value.nodes : nodes;
      return keep({
        value: { ...(JSON.parse(head.body) as RolloutHead), nodes: same },
        revision: head.revision,
      });
    }
  };

  /** `known`: what it was computed from, where the writer says so. */
  const writePlaces = async (
    runner: Runner,
    rollout: RolloutRecord,
    { revision, expected, known }: { revision: number; expected: number; known: RolloutRecord | undefined },
  ) => {
    const before = kept.get(rollout.id);
    const base =
      known?.nodes ?? (before !== undefined && before.revision === expected ? before.value.nodes : []);
    const changed = [...rollout.nodes.entries()].filter(([position, node]) => base[position] !== node);
    for (const [position, node] of expected === 0 ? [] : changed) {
      const row = { id: rollout.id, position, revision, body: JSON.stringify(node) };
      await query.updatePlace(runner, row);
    }
    if (expected > 0) return;
    for (let from = 0; from < changed.length; from += ROWS_AT_ONCE) {
      const values = changed.slice(from, from + ROWS_AT_ONCE).map(([position, node]) => ({
        rollout_id: rollout.id,
        position,
        revision,
        body: JSON.stringify(node),
      }));
      await runner.executeQuery(db.insertInto("rollout_node").values(values).compile());
    }
  };

  return {
    async write(runner, { value, expected, before: known }) {
      const { nodes: _nodes, ...head } = value;
      const revision = expected + 1;
      const row = {
        id: value.id,
        unfinished: Number(isUnfinished(value)),
        revision,
        body: JSON.stringify(head),
      };
      const written =
        expected > 0 ? await query.update(runner, { ...row, expected }) : await query.insert(runner, row);
      if (written.numAffectedRows !== 1n) return false;
      await writePlaces(runner, value, { revision, expected, known: expected === 0 ? undefined : known });
      return true;
    },
    get: read,
    heads: async () =>
      (await query.heads(db, {})).rows.map(({ revision, body }) => ({
        value: JSON.parse(body) as RolloutHead,
        revision,
      })),
    async unfinished() {
      const found: Stored<RolloutRecord>[] = [];
      for (const { id } of (await query.unfinished(db, {})).rows) {
        const rollout = await read(id);
        if (rollout !== null && isUnfinished(rollout.value)) found.push(rollout);
      }
      return found;
    },
  };
}

function statements(db: Kysely<Tables>) {
  type Head = { revision: number; body: string };
  type Write = { id: string; unfinished: number; revision: number; body: string };
  return {
    head: prepare<{ id: string }, Head>((p) =>
      db.selectFrom("rollout").select(["revision", "body"]).where("id", "=", p("id")),
    ),
    heads: prepare<Record<never, never>, Head>(() =>
      db.selectFrom("rollout").select(["revision", "body"]).orderBy("seq", "desc"),
    ),
    unfinished: prepare<Record<never, never>, { id: string }>(() =>
      db
        .selectFrom("rollout")
        .select("id")
        // A literal: the index holds only rows where this is 1 (see `reads.ts`).
        .where("unfinished", "=", sql.lit(1))
        .orderBy("seq"),
    ),
    nodesSince: prepare<{ id: string; after: number }, { position: number; revision: number; body: string }>(
      (p) =>
        db
          .selectFrom("rollout_node")
          .select(["position", "revision", "body"])
          .where("rollout_id", "=", p("id"))
          .where("revision", ">", p("after"))
          .orderBy("position"),
    ),
    insert: prepare<Write, unknown>((p) =>
      db
        .insertInto("rollout")
        .values({ id: p("id"), unfinished: p("unfinished"), revision: p("revision"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    update: prepare<Write & { expected: number }, unknown>((p) =>
      db
        .updateTable("rollout")
        .set({ unfinished: p("unfinished"), revision: p("revision"), body: p("body") })
        .where("id", "=", p("id"))
        .where("revision", "=", p("expected")),
    ),
    updatePlace: prepare<{ id: string; position: number; revision: number; body: string }, unknown>((p) =>
      db
        .updateTable("rollout_node")
        .set({ revision: p("revision"), body: p("body") })
        .where("rollout_id", "=", p("id"))
        .where("position", "=", p("position")),
    ),
  };
}
