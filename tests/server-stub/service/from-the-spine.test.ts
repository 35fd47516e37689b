/**
 * A database that the first coordinator wrote (its rows are in `tests/testdata/spine/database.json`, as it left them in
 * the middle of a rollout) is taken over: nothing is lost, and what was under way goes on.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import { MIGRATIONS } from "../../../server-stub/store/sql/migrations/all.ts";
import type { Tables } from "../../../server-stub/store/sql/tables.ts";
import { nodeSqliteDialect } from "../../../server-stub/store/sqlite/dialect.ts";
import { ADMIN, House, must } from "./house.ts";
import { buildOf } from "./shelf.ts";
import { TestAgent } from "./test-agent.ts";

const ROWS = join(import.meta.dirname, "../../testdata/spine/database.json");
type Rows = Readonly<Record<string, readonly Readonly<Record<string, SQLInputValue>>[]>>;

/** The tables as the first migration made them, with what was in them. */
async function writeSpine(file: string): Promise<void> {
  const database = new DatabaseSync(file);
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
  const first = "0001-the-spine";
  const migration = MIGRATIONS[first];
  if (migration === undefined) throw new Error("there is no first migration");
  const provider = { getMigrations: () => Promise.resolve({ [first]: migration }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw new Error("the first migration failed", { cause: error });
  const tables = JSON.parse(await readFile(ROWS, "utf8")) as Rows;
  database.exec("delete from meta");
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const columns = Object.keys(row);
      const values = columns.map(() => "?").join(", ");
      database
        .prepare(`insert into ${table} (${columns.join(", ")}) values (${values})`)
        .run(...Object.values(row));
    }
  }
  await db.destroy();
}

async function takeOver(house: House): Promise<void> {
  await house.crash();
  const file = join(house.dir, "coordinator.db");
  for (const name of ["", "-wal", "-shm"]) await rm(`${file}${name}`, { force: true });
  await writeSpine(file);
  house.clock.pass(100_000);
  house.shelf.put("1.1.0");
  house.shelf.put("1.2.0");
  await house.open();
}

test("a rollout of the first coordinator goes on where it was, and one that had halted can be retried", async () => {
  await using house = await House.build();
  await takeOver(house);
  const [second, first] = await house.baton.rollouts.list();
  if (first === undefined || second === undefined) throw new Error("there are not two rollouts");
  expect([first, second].map(({ status, selection }) => [status, selection])).toEqual([
    ["halted", { groups: ["db"] }],
    ["running", { groups: ["web"] }],
  ]);
  const running = must(await house.baton.rollouts.get(second.id));
  expect(running).toMatchObject({
    kind: "update",
    policy: { stages: [1], concurrency: 1, threshold: null },
    counts: { succeeded: 1, updating: 1, preparing: 1 },
    stages: [{ nodes: 3, status: "running" }],
  });
  const agents = await Promise.all(
    running.nodes.map(async ({ nodeId, name, group, status }) => {
      const joined = { nodeId, name, group, credential: "", membership: "approved" as const };
      return { agent: new TestAgent(house, joined, status === "preparing" ? "1.0.0" : "1.2.0"), status };
    }),
  );
  const of = (status: string): TestAgent => {
    const found = agents.find((each) => each.status === status);
    if (found === undefined) throw new Error(`nobody is ${status}`);
    return found.agent;
  };
  const [done, inFlight, waiting] = [of("succeeded"), of("updating"), of("preparing")];
  await done.connect();
  await inFlight.start(buildOf("1.2.0"));
  await waiting.connect();
  await waiting.prepare();
  await house.beats(3, done, inFlight, waiting);
  expect(await inFlight.confirm()).toBe(true);
  await house.beats(1, done, inFlight, waiting);
  await waiting.updateWell([done, inFlight]);
  expect(must(await house.baton.rollouts.get(second.id))).toMatchObject({
    status: "completed",
    counts: { succeeded: 3 },
  });
  expect(must(await house.baton.groups.get("web")).desired).toBe("1.2.0");

  const again = must(await house.baton.rollouts.retry(ADMIN, first.id));
  expect(again.status).toBe("running");
  expect(again.nodes.map((node) => node.status)).toEqual(["pending", "pending", "pending"]);
  expect(house.logged.filter((line) => line.level === "error")).toEqual([]);
});
