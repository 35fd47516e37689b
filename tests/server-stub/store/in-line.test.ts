import { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import { nodeSqliteDialect } from "../../../server-stub/store/sqlite/dialect.ts";
import { InLine } from "../../../server-stub/store/sqlite/in-line.ts";

const turn = () => new Promise(setImmediate);

test("whoever comes first has it first, one at a time, and only the next one is woken", async () => {
  const line = new InLine();
  const had: number[] = [];
  const come = async (who: number) => {
    await line.take();
    had.push(who);
  };
  for (const who of [1, 2, 3]) void come(who);
  await turn();
  expect(had).toEqual([1]);
  line.letGo();
  // Who comes while it changes hands does not overtake.
  void come(4);
  await turn();
  expect(had).toEqual([1, 2]);
  line.letGo();
  await turn();
  line.letGo();
  await turn();
  expect(had).toEqual([1, 2, 3, 4]);
  line.letGo();
  void come(5);
  await turn();
  expect(had).toEqual([1, 2, 3, 4, 5]);
});

test("a read waits for the end of a transaction, and every read that came meanwhile for its turn", async () => {
  const db = new Kysely<{ t: { n: number } }>({ dialect: nodeSqliteDialect(new DatabaseSync(":memory:")) });
  await sql`create table t (n integer)`.execute(db);
  const middle = Promise.withResolvers<void>();
  const writing = db.transaction().execute(async (on) => {
    await on.insertInto("t").values({ n: 1 }).execute();
    await middle.promise;
    await on.insertInto("t").values({ n: 2 }).execute();
  });
  const seen: number[] = [];
  const reads = Array.from({ length: 2_000 }, async () => {
    const rows = await db.selectFrom("t").selectAll().execute();
    seen.push(rows.length);
  });
  await turn();
  expect(seen).toEqual([]);
  middle.resolve();
  await Promise.all([writing, ...reads]);
  expect(seen).toHaveLength(2_000);
  expect(new Set(seen)).toEqual(new Set([2]));
  await db.destroy();
});

test("a transaction that fails lets the next one in", async () => {
  const db = new Kysely<{ t: { n: number } }>({ dialect: nodeSqliteDialect(new DatabaseSync(":memory:")) });
  await sql`create table t (n integer)`.execute(db);
  const failing = db.transaction().execute(async (on) => {
    await on.insertInto("t").values({ n: 1 }).execute();
    throw new Error("no");
  });
  const reading = db.selectFrom("t").selectAll().execute();
  await expect(failing).rejects.toThrow("no");
  expect(await reading).toEqual([]);
  await db.destroy();
});
