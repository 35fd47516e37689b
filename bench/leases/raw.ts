/**
 * What the coordinator writes for a cycle of the lease, and nothing else: the same three transactions on the same
 * tables, with records of the same shape, straight on SQLite. No HTTP, no schemas, no rules, and nothing is read but
 * what guards the write.
 */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { JobRecord } from "../../server-stub/core/job/job.ts";
import type { Holder, LeaseRecord } from "../../server-stub/core/lease/record.ts";
import { openSqliteStore } from "../../server-stub/store/sqlite/open.ts";

const GROUP = "raw";
const NODE = "n-000000000000";
const FROM = { version: "1.1.0", buildHash: "1".repeat(64) };
const TO = { version: "1.0.0", buildHash: "0".repeat(64) };

export type RawLeases = { cycle(): void; close(): void };

/** Makes the tables as the coordinator does, then opens the file with the same settings. */
export async function openRawLeases(file: string): Promise<RawLeases> {
  const store = await openSqliteStore(file);
  if (!store.ok) throw new Error(store.error.message);
  await store.value.close();
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  db.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full");
  db.exec(`insert into node_group (name, revision, body) values ('${GROUP}', 1, '{}');
    insert into lease (node_group, revision, busy, body) values ('${GROUP}', 1, 0, '{}')`);
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  const sameGroup = db.prepare("select name from node_group where name = ? and revision = ?");
  const lease = db.prepare(
    "update lease set revision = ?, busy = ?, body = ? where node_group = ? and revision = ?",
  );
  const newJob = db.prepare(
    "insert into job (id, node_id, node_group, active, revision, body) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
  );
  const job = db.prepare("update job set active = ?, revision = ?, body = ? where id = ? and revision = ?");
  const audit = db.prepare(
    "insert into audit (at, actor, action, subject, before, after, from_address) values (?, ?, ?, ?, ?, ?, ?)",
  );
  const resolve = db.prepare(
    "update alert set resolved_at = ? where kind = ? and subject = ? and resolved_at is null",
  );
  let revision = 1;
  let token = 0;

  const writeLease = (holder: Holder | null): void => {
    const body: LeaseRecord = { lastToken: token, holders: holder === null ? [] : [holder], broken: [] };
    lease.run(revision + 1, holder === null ? 0 : 1, JSON.stringify(body), GROUP, revision);
    revision += 1;
  };
  const note = (action: string, subject: string, before: object | null, after: object): void => {
    const says = [JSON.stringify(before), JSON.stringify(after)] as const;
    audit.run(Date.now(), `node ${NODE}`, action, subject, ...says, "");
  };
  const transaction = (work: () => void): void => {
    begin.run();
    work();
    commit.run();
  };
  const brief = (status: string) => ({ kind: "rollback", node: NODE, status, to: "1.0.0", reason: null });

  return {
    cycle() {
      token += 1;
      const now = Date.now();
      const id = `j-${token.toString(36).padStart(12, "0")}`;
      const record = jobOf(id, now);
      const held = {
        token,
        nodeId: NODE,
        jobId: id,
        from: FROM,
        to: TO,
        instanceId: randomUUID(),
        sinceMs: now,
      };
      transaction(() => {
        sameGroup.all(GROUP, 1);
        writeLease({ phase: "reserved", ...held, expiresAtMs: now + 60_000, attempted: false });
        newJob.run(id, NODE, GROUP, 1, 1, JSON.stringify({ ...record, step: "reserve" }));
        note("job.queued", id, null, brief("queued"));
        note("lease.reserved", GROUP, null, { token, job: id });
      });
      transaction(() => {
        sameGroup.all(GROUP, 1);
        writeLease({ phase: "in-flight", ...held, countedFromMs: now, actWithinMs: 10_000 });
        job.run(1, 2, JSON.stringify({ ...record, step: "commit" }), id, 1);
        note("lease.committed", GROUP, null, { token, actWithinMs: 10_000 });
      });
      transaction(() => {
        writeLease(null);
        note(
          "lease.returned",
          GROUP,
          { token, node: NODE, phase: "in-flight" },
          { proof: "confirmed", reason: null },
        );
        const done: JobRecord = {
          ...record,
          status: "succeeded",
          step: "complete",
          percent: 100,
          endedAt: now,
        };
        job.run(0, 3, JSON.stringify(done), id, 2);
        note("job.succeeded", id, brief("running"), brief("succeeded"));
        resolve.run(now, "update_failed", NODE);
      });
    },
    close: () => db.close(),
  };
}

const jobOf = (id: string, now: number): JobRecord => ({
  id,
  kind: "rollback",
  nodeId: NODE,
  group: GROUP,
  cause: "operator",
  rolloutId: null,
  release: "1.0.0",
  from: FROM,
  to: TO,
  retry: true,
  acceptOutage: false,
  status: "running",
  step: null,
  percent: 0,
  bytesPerSecond: null,
  reason: null,
  confirming: null,
  returns: 0,
  createdAt: now,
  startedAt: now,
  endedAt: null,
});
