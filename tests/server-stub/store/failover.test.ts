/** A primary that dies and a standby that takes its place: real servers, and what the coordinator makes of it. */
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReplicationWatch } from "../../../server-stub/replication-watch.ts";
import { settleIncarnation } from "../../../server-stub/service/failover.ts";
import type { Replication } from "../../../server-stub/store/postgres/replication.ts";
import { type PostgresServer, startPostgres, startStandby } from "../../harness/postgres/server.ts";
import { startTcpProxy, type TcpProxy } from "../../harness/tcp-proxy.ts";
import { openPostgres } from "./engines.ts";
import { GROUP, LEASE } from "./records.ts";

let primary: PostgresServer;
let standby: PostgresServer;
let proxies: TcpProxy[];
let url: string;
beforeAll(async () => {
  primary = await startPostgres();
  await primary.sql("create database baton");
  standby = await startStandby(primary);
  proxies = await Promise.all(
    [standby, primary].map(({ dir }) => startTcpProxy({ path: join(dir, ".s.PGSQL.5432") })),
  );
  url = `postgres://postgres@${proxies.map(({ port }) => `127.0.0.1:${port}`).join(",")}/baton`;
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all([primary.stop(), standby.stop()]);
});

const said: string[] = [];
const log = {
  info: (_: object, message: string) => void said.push(message),
  warn: (_: object, message: string) => void said.push(message),
} as unknown as Parameters<typeof settleIncarnation>[3];
const group = { kind: "group", value: GROUP, expected: 0 } as const;

test("what was granted is there after a failover, nobody writes on in the old epoch, and no token is given twice", async () => {
  const before = await openPostgres(url);
  await settleIncarnation(before.store, before.incarnation, Date.now(), log);
  await settleIncarnation(before.store, before.incarnation, Date.now(), log);
  expect((await before.store.meta()).value).toEqual({ tokenEpoch: 0, incarnation: before.incarnation });

  // A standby that writes do not wait for is said so, once, and counted.
  const counted: Replication[] = [];
  const look = createReplicationWatch({
    replication: () => before.replication(),
    metrics: { replicationIs: (now) => void counted.push(now) },
    log,
  });
  await look();
  await look();
  expect(said.filter((message) => message.includes("a standby is asynchronous"))).toHaveLength(1);
  expect(counted[0]).toEqual({ standbys: 1, asynchronous: 1, isSynchronous: false });
  await primary.sql("alter system set synchronous_standby_names = '*'");
  await primary.sql("select pg_reload_conf()");
  await expect
    .poll(() => before.replication())
    .toEqual({ standbys: 1, asynchronous: 0, isSynchronous: true });
  await look();
  expect(said.at(-1)).toBe("writes wait for a standby");

  await before.store.apply([group]);
  expect(await before.store.apply([{ kind: "lease", group: "db", value: LEASE, expected: 1 }])).toEqual({
    ok: true,
  });
  const dead = once(primary.process, "exit");
  primary.process.kill("SIGKILL");
  await dead;
  await standby.sql("select pg_promote()");

  // The same process: it finds the new primary, sees that it is another one, and writes nothing to it.
  const refused = before.store.apply([{ ...group, value: { ...GROUP, name: "late" } }]);
  await expect(refused).rejects.toThrow(/failed over/);
  expect(await before.failedOver).toMatchObject({ name: "FailedOver" });
  await expect(before.store.groups()).rejects.toThrow(/failed over/);
  await before.store.close();

  const now = Date.UTC(2030, 0);
  const [after, other] = await Promise.all([openPostgres(url), openPostgres(url)]);
  expect(after.incarnation).not.toBe(before.incarnation);
  expect(after.incarnation.split("/")[0]).toBe(before.incarnation.split("/")[0]);
  await settleIncarnation(after.store, after.incarnation, now, log);
  const { tokenEpoch } = (await after.store.meta()).value;
  await settleIncarnation(other.store, other.incarnation, now, log);
  expect((await other.store.meta()).value).toEqual({ tokenEpoch, incarnation: after.incarnation });
  expect(tokenEpoch).toBeGreaterThan(0);
  const lease = (await after.store.lease("db"))?.value;
  expect(lease?.lastToken).toBe(LEASE.lastToken);
  expect(lease?.holders.filter(({ phase }) => phase === "reserved")).toEqual([]);
  expect((await after.store.groups()).map(({ value }) => value.name)).toEqual(["db"]);
  await Promise.all([after.store.close(), other.store.close()]);
});
