/** A database that the first release wrote, opened by this one: everything in it is found, also by what is new. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showJob } from "../../../server-stub/core/job/job.ts";
import { MIGRATIONS } from "../../../server-stub/store/sql/migrations/all.ts";
import { nodeSqliteDialect } from "../../../server-stub/store/sqlite/dialect.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { GROUP, JOB, JOIN_TOKEN, NODE } from "./records.ts";

const FIRST = "0001-the-spine";

/** A record as the first release wrote it: without what came later. */
const old = (value: object, ...later: string[]): string =>
  JSON.stringify(Object.fromEntries(Object.entries(value).filter(([key]) => !later.includes(key))));

let dir: string;
let store: Store;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-upgrade-"));
  const file = join(dir, "coordinator.db");
  const database = new DatabaseSync(file);
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(database) });
  const first = MIGRATIONS[FIRST];
  if (first === undefined) throw new Error("there is no first migration");
  const provider = { getMigrations: () => Promise.resolve({ [FIRST]: first }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw new Error("the first migration failed", { cause: error });
  const insert = (table: string, row: Record<string, string | number | null>) => {
    const names = Object.keys(row);
    const holes = names.map(() => "?").join(", ");
    const sql = `insert into ${table} (${names.join(", ")}) values (${holes})`;
    database.prepare(sql).run(...Object.values(row));
  };
  insert("node_group", { name: "db", revision: 1, body: old(GROUP, "windows", "freeze", "channel") });
  insert("lease", {
    node_group: "db",
    busy: 0,
    revision: 1,
    body: '{"lastToken":3,"holders":[],"broken":[]}',
  });
  const node = { id: NODE.id, node_group: "db", name: NODE.name, credential_hash: "h", last_seen_at: 7 };
  insert("node", { ...node, revision: 1, body: old(NODE, "address") });
  const job = (id: string, active: number, more: object) =>
    insert("job", {
      id,
      node_id: NODE.id,
      node_group: "db",
      active,
      revision: 2,
      body: old({ ...JOB, id, ...more }, "retryOf"),
    });
  job("j-1", 0, { status: "failed", kind: "rollback", endedAt: 9 });
  job("j-2", 0, { status: "succeeded", rolloutId: "r-1", endedAt: 10 });
  job("j-3", 1, {});
  insert("join_token", { id: "t-1", hash: "hash-j", revision: 1, body: old(JOIN_TOKEN, "revoked") });
  const entry = { at: 5, actor: "operator ada", action: "group.created", subject: "db" };
  insert("audit", { ...entry, before: "null", after: '{"mode":"quorum"}', from_address: "::1" });
  await db.destroy();
  const opened = await openSqliteStore(file);
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
});
afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true });
});

test("jobs are listed by what they are, and shown without what they never said", async () => {
  const ids = async (query: object) =>
    (await store.jobs({ limit: 10, ...query })).map(({ value }) => value.id);
  expect(await ids({})).toEqual(["j-3", "j-2", "j-1"]);
  expect(await ids({ status: "failed" })).toEqual(["j-1"]);
  expect(await ids({ kind: "rollback" })).toEqual(["j-1"]);
  expect(await ids({ rolloutId: "r-1" })).toEqual(["j-2"]);
  expect((await store.activeJobs()).map(({ value }) => value.id)).toEqual(["j-3"]);
  const [newest] = await store.jobs({ limit: 1 });
  expect(newest === undefined ? null : showJob(newest.value).retryOf).toBeNull();
});

test("members, tokens and the audit log are as they were", async () => {
  expect((await store.group("db"))?.value.mode).toBe("quorum");
  expect((await store.lease("db"))?.value.lastToken).toBe(3);
  expect(await store.node(NODE.id)).toMatchObject({ lastSeenAt: 7, value: { name: NODE.name } });
  expect(await store.joinTokenByHash("hash-j")).toMatchObject({ value: { usesLeft: 1 } });
  expect(await store.audit(10, { action: "group." })).toMatchObject([{ subject: "db", from: "::1" }]);
  expect(await store.request("nothing")).toBeNull();
});
