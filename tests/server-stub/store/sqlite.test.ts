import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FIRST_POLICY } from "../../../server-stub/store/policy.ts";
import { theSpine } from "../../../server-stub/store/sql/migrations/0001-the-spine.ts";
import { policyAndChannels } from "../../../server-stub/store/sql/migrations/0005-policy-and-channels.ts";
import { MIGRATIONS } from "../../../server-stub/store/sql/migrations/all.ts";
import type { Tables } from "../../../server-stub/store/sql/tables.ts";
import { nodeSqliteDialect } from "../../../server-stub/store/sqlite/dialect.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { GROUP } from "./records.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-sqlite-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function open(file: string): Promise<Store> {
  const opened = await openSqliteStore(file);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

test("what was applied is there after the process is killed, and the lock is not", async () => {
  const file = join(dir, "store.db");
  const script = join(dir, "writer.mjs");
  const source = new URL("../../../server-stub/store/sqlite/open.ts", import.meta.url).href;
  await writeFile(
    script,
    `const { openSqliteStore } = await import(${JSON.stringify(source)});
     const { value: store } = await openSqliteStore(process.argv[2]);
     await store.apply([{ kind: "group", value: ${JSON.stringify(GROUP)}, expected: 0 }]);
     process.stdout.write("written");
     setInterval(() => undefined, 1000);`,
  );
  const writer = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(writer.stdout, "data");
  const second = await openSqliteStore(file);
  expect(second.ok ? null : second.error).toMatchObject({ code: "store-in-use" });
  writer.kill("SIGKILL");
  await once(writer, "exit");
  const store = await open(file);
  expect((await store.group("db"))?.value).toEqual(GROUP);
  await store.close();
});

test("is durable: write-ahead log, full synchronisation, foreign keys", async () => {
  const file = join(dir, "store.db");
  const store = await open(file);
  const strayed = store.apply([
    { kind: "log", jobId: "j-none", lines: [{ index: 0, at: 1, source: "agent", step: null, text: "x" }] },
  ]);
  await expect(strayed).rejects.toThrow(/FOREIGN KEY/);
  await store.close();
  const raw = new DatabaseSync(file);
  expect(raw.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  raw.close();
});

test("a store of a newer coordinator is left alone", async () => {
  const file = join(dir, "store.db");
  await (await open(file)).close();
  const raw = new DatabaseSync(file);
  raw.exec("insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '')");
  raw.close();
  const refused = await openSqliteStore(file);
  expect(refused.ok ? null : refused.error).toMatchObject({ code: "store-newer" });
});

test("a directory that is not there, and a file that is no database, are said so", async () => {
  const missing = await openSqliteStore(join(dir, "nowhere", "store.db"));
  expect(missing.ok ? null : missing.error.code).toBe("store-unusable");
  const file = join(dir, "text.db");
  await writeFile(file, "this is no database, but long enough to look at: ".repeat(50));
  const text = await openSqliteStore(file);
  expect(text.ok ? null : text.error.code).toBe("store-unusable");
  expect(execFileSync("head", ["-c", "12", file]).toString()).toBe("this is no d");
});

test("opens again and again without migrating twice", async () => {
  const file = join(dir, "store.db");
  for (let round = 0; round < 3; round += 1) await (await open(file)).close();
  const raw = new DatabaseSync(file);
  expect(raw.prepare("select count(*) as n from kysely_migration").get()).toEqual({
    n: Object.keys(MIGRATIONS).length,
  });
  raw.close();
});

test("groups that were written before there were windows have none, and follow no channel", async () => {
  const database = new DatabaseSync(join(dir, "store.db"));
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
  await theSpine(db as Kysely<unknown>);
  const { windows: _w, freeze: _f, channel: _c, followsSince: _s, ...before } = GROUP;
  await db
    .insertInto("node_group")
    .values({ name: "db", revision: 3, body: JSON.stringify(before) })
    .execute();
  await policyAndChannels(db as Kysely<unknown>);
  const [group] = await db.selectFrom("node_group").selectAll().execute();
  expect(JSON.parse(group?.body ?? "")).toEqual(GROUP);
  expect(group?.revision).toBe(3);
  const policy = await db.selectFrom("policy").selectAll().execute();
  expect(policy).toEqual([{ id: 1, revision: 1, body: JSON.stringify(FIRST_POLICY) }]);
  await db.destroy();
});
