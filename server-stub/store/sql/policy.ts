import type { Kysely } from "kysely";
import type { ChannelName } from "../../../protocol/names.ts";
import type { FleetPolicy } from "../../../protocol/policy.ts";
import type { ChannelRecord, PolicyChange } from "../policy.ts";
import type { Stored } from "../records.ts";
import { prepare, type Runner } from "./prepared.ts";
import type { Row } from "./reads.ts";
import type { Tables } from "./tables.ts";

type Cas = { body: string; expected: number; revision: number };

/** The fleet's policy, which is one row, and the channels: their queries, compiled once. */
export function preparePolicy(db: Kysely<Tables>) {
  const record = ["revision", "body"] as const;
  const none = {};
  const read = {
    policy: prepare<Record<never, never>, Row>(() => db.selectFrom("policy").select(record)),
    channel: prepare<{ name: string }, Row>((p) =>
      db.selectFrom("channel").select(record).where("name", "=", p("name")),
    ),
    channels: prepare<Record<never, never>, Row>(() =>
      db.selectFrom("channel").select(record).orderBy("name"),
    ),
    samePolicy: prepare<{ expected: number }, { id: number }>((p) =>
      db.selectFrom("policy").select("id").where("revision", "=", p("expected")),
    ),
  };
  const on = {
    policy: prepare<Cas, unknown>((p) =>
      db
        .updateTable("policy")
        .set({ revision: p("revision"), body: p("body") })
        .where("id", "=", 1)
        .where("revision", "=", p("expected")),
    ),
    insertChannel: prepare<Cas & { name: string }, unknown>((p) =>
      db
        .insertInto("channel")
        .values({ name: p("name"), revision: p("revision"), body: p("body") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateChannel: prepare<Cas & { name: string }, unknown>((p) =>
      db
        .updateTable("channel")
        .set({ revision: p("revision"), body: p("body") })
        .where("name", "=", p("name"))
        .where("revision", "=", p("expected")),
    ),
    removeChannel: prepare<{ name: string; expected: number }, unknown>((p) =>
      db.deleteFrom("channel").where("name", "=", p("name")).where("revision", "=", p("expected")),
    ),
  };

  /** False: the expectation does not hold. */
  async function write(runner: Runner, change: PolicyChange): Promise<boolean> {
    const { expected } = change;
    switch (change.kind) {
      case "policy":
        return one(
          await on.policy(runner, { body: JSON.stringify(change.value), expected, revision: expected + 1 }),
        );
      case "same-policy":
        return (await read.samePolicy(runner, { expected })).rows.length === 1;
      case "channel": {
        const { name } = change.value;
        const row = { name, body: JSON.stringify(change.value), expected, revision: expected + 1 };
        return one(await (expected === 0 ? on.insertChannel : on.updateChannel)(runner, row));
      }
      case "remove-channel":
        return one(await on.removeChannel(runner, { name: change.name, expected }));
    }
  }

  return {
    write,
    read: {
      async policy(): Promise<Stored<FleetPolicy>> {
        const [row] = (await read.policy(db, none)).rows;
        if (row === undefined) throw new Error("the store has no policy record");
        return stored<FleetPolicy>(row);
      },
      async channel(name: ChannelName): Promise<Stored<ChannelRecord> | null> {
        const [row] = (await read.channel(db, { name })).rows;
        return row === undefined ? null : stored<ChannelRecord>(row);
      },
      channels: async (): Promise<readonly Stored<ChannelRecord>[]> =>
        (await read.channels(db, none)).rows.map(stored<ChannelRecord>),
    },
  };
}

const stored = <T>(row: Row): Stored<T> => ({ value: JSON.parse(row.body) as T, revision: row.revision });

const one = (result: { readonly numAffectedRows?: bigint }): boolean => result.numAffectedRows === 1n;
