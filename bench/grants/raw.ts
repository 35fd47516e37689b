/**
 * What the coordinator writes for a cycle of the lease, and nothing else: the same three transactions on the same
 * tables, with records of the same shape, by bare `pg` on one connection. No HTTP, no schemas, no rules; each
 * transaction is a compare-and-set on the group's lease with what belongs to it.
 */
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import type { Holder, LeaseRecord } from "../../server-stub/core/lease/record.ts";

const GROUP = "raw";
const NODE = "n-000000000000";
const FROM = { version: "1.1.0", buildHash: "1".repeat(64) };
const TO = { version: "1.0.0", buildHash: "0".repeat(64) };

export type RawGrants = { cycle(): Promise<void>; close(): Promise<void> };

/** On a database that has the coordinator's tables. */
export async function openRawGrants(url: string): Promise<RawGrants> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("insert into node_group (name, revision, body) values ($1, 1, '{}')", [GROUP]);
  await client.query("insert into lease (node_group, revision, busy, body) values ($1, 1, 0, '{}')", [GROUP]);
  let revision = 1;
  let token = 0;
  let jobs = 0;

  const run = (name: string, text: string, values: readonly unknown[]): Promise<unknown> =>
    client.query({ name, text, values: [...values] });
  const writeLease = async (holder: Holder | null): Promise<void> => {
    const body: LeaseRecord = { lastToken: token, holders: holder === null ? [] : [holder], broken: [] };
    await run(
      "lease",
      "update lease set revision = $1, busy = $2, body = $3 where node_group = $4 and revision = $5",
      [revision + 1, holder === null ? 0 : 1, JSON.stringify(body), GROUP, revision],
    );
    revision += 1;
  };
  const note = (action: string, subject: string, after: object): Promise<unknown> =>
    run(
      "audit",
      "insert into audit (at, actor, action, subject, before, after, from_address) values ($1, $2, $3, $4, $5, $6, $7)",
      [Date.now(), `node ${NODE}`, action, subject, "null", JSON.stringify(after), ""],
    );
  const transaction = async (work: () => Promise<unknown>): Promise<void> => {
    await client.query("begin");
    await work();
    await client.query("commit");
  };

  return {
    async cycle() {
      token += 1;
      jobs += 1;
      const now = Date.now();
      const id = `j-${jobs.toString(36).padStart(12, "0")}`;
      const held = {
        token,
        nodeId: NODE,
        jobId: id,
        from: FROM,
        to: TO,
        instanceId: randomUUID(),
        sinceMs: now,
      };
      const job = (status: string): string =>
        JSON.stringify({ ...held, id, status, cause: "operator", release: "1.0.0" });
      await transaction(async () => {
        await run("group", "select name from node_group where name = $1 and revision = $2", [GROUP, 1]);
        await writeLease({ phase: "reserved", ...held, expiresAtMs: now + 60_000, attempted: false });
        await run(
          "job",
          "insert into job (id, node_id, node_group, active, revision, body) values ($1, $2, $3, 1, 1, $4) on conflict do nothing",
          [id, NODE, GROUP, job("running")],
        );
        await note("job.queued", id, { status: "queued" });
        await note("lease.reserved", GROUP, { token, job: id });
      });
      await transaction(async () => {
        await run("group", "select name from node_group where name = $1 and revision = $2", [GROUP, 1]);
        await writeLease({ phase: "in-flight", ...held, countedFromMs: now, actWithinMs: 10_000 });
        await run(
          "update",
          "update job set active = $1, revision = $2, body = $3 where id = $4 and revision = $5",
          [1, 2, job("running"), id, 1],
        );
        await note("lease.committed", GROUP, { token, actWithinMs: 10_000 });
      });
      await transaction(async () => {
        await writeLease(null);
        await note("lease.returned", GROUP, { proof: "confirmed", reason: null });
        await run(
          "update",
          "update job set active = $1, revision = $2, body = $3 where id = $4 and revision = $5",
          [0, 3, job("succeeded"), id, 2],
        );
        await note("job.succeeded", id, { status: "succeeded" });
      });
    },
    close: () => client.end(),
  };
}
