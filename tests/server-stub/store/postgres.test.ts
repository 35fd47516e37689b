/** What only a database at the other end of a network has: lost replies, several hosts, other writers, failovers. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readAddress } from "../../../server-stub/store/postgres/address.ts";
import { openPostgresStore, type PostgresStore } from "../../../server-stub/store/postgres/open.ts";
import { POOL_LIMITS } from "../../../server-stub/store/postgres/pool.ts";
import { migrate, migrationState } from "../../../server-stub/store/sql/migrate.ts";
import { freshDatabase } from "../../harness/postgres/of-this-run.ts";
import { startTcpProxy, type TcpProxy } from "../../harness/tcp-proxy.ts";
import { openPostgres } from "./engines.ts";
import { onDatabase } from "./postgres-client.ts";
import { GROUP, LEASE, NODE } from "./records.ts";

const note = (subject: string) =>
  ({
    kind: "audit",
    value: { at: 1, actor: "a", action: "x", subject, before: null, after: null, from: "" },
  }) as const;
const group = { kind: "group", value: GROUP, expected: 0 } as const;
const lease = { kind: "lease", group: "db", value: LEASE, expected: 1 } as const;

/** Of the server behind a socket: what a proxy connects to, and the address that leads through it. */
function behind(url: string) {
  const { searchParams, pathname } = new URL(url.replace("@/", "@socket/"));
  const socket = join(searchParams.get("host") ?? "", ".s.PGSQL.5432");
  return {
    socket,
    through: (...ports: number[]) =>
      `postgres://postgres@${ports.map((port) => `127.0.0.1:${port}`).join(",")}${pathname}`,
  };
}

describe("over a network that loses things", () => {
  let proxy: TcpProxy;
  let opened: PostgresStore;
  let url: string;
  beforeEach(async () => {
    url = await freshDatabase();
    const { socket, through } = behind(url);
    proxy = await startTcpProxy({ path: socket });
    opened = await openPostgres(through(proxy.port));
  });
  afterEach(async () => {
    await opened.store.close();
    await proxy.close();
  });
  const noted = async () => (await opened.store.audit(10)).map(({ subject }) => subject).reverse();

  test("a write whose reply was lost is found by its receipt, and not written again", async () => {
    await opened.store.apply([group]);
    proxy.fault({ when: "; commit", do: "lose-answer", times: 1 });
    expect(await opened.store.apply([lease, note("once")])).toEqual({ ok: true });
    expect(proxy.hits()).toBe(1);
    expect(await noted()).toEqual(["once"]);
    expect((await opened.store.lease("db"))?.revision).toBe(2);
  });

  test("a write that never arrived is written again, once", async () => {
    await opened.store.apply([group]);
    proxy.fault({ when: "; commit", do: "lose-question", times: 2 });
    proxy.fault({ when: 'insert into "audit"', do: "lose-answer", times: 1 });
    expect(await opened.store.apply([lease, note("once")])).toEqual({ ok: true });
    expect(proxy.hits()).toBe(3);
    expect(await noted()).toEqual(["once"]);
  });

  test("many at once are written once each, whichever reply is lost", async () => {
    await opened.store.apply([group]);
    for (let at = 0; at < 3; at += 1) {
      proxy.fault({ when: "; commit", do: at % 2 === 0 ? "lose-answer" : "lose-question", times: 1 });
      const subjects = Array.from({ length: 5 }, (_, index) => `${at}-${index}`);
      const answers = await Promise.all(
        subjects.map((subject) => opened.store.apply([note(subject), ...(at === 0 ? [lease] : [])])),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(at === 0 ? 1 : 5);
    }
    const all = (await opened.store.audit(100)).map(({ subject }) => subject);
    expect(new Set(all).size).toBe(11);
    expect(all).toHaveLength(11);
  });

  test("reads go on after all connections were reset, also while they are asked", async () => {
    await opened.store.apply([group]);
    proxy.cut();
    expect(await opened.store.group("db")).not.toBeNull();
    proxy.fault({ when: "baton_", do: "lose-answer", times: 1 });
    expect((await Promise.all([1, 2, 3].map(() => opened.store.groups()))).flat()).toHaveLength(3);
  });
});

describe("beside other writers", () => {
  test("two coordinators never write from the same revision, and event ids appear in their order", async () => {
    const url = await freshDatabase();
    const both = [await openPostgres(url), await openPostgres(url)];
    const [first, second] = both.map(({ store }) => store);
    if (first === undefined || second === undefined) throw new Error("there are two");
    await first.apply([group]);
    const seen: number[] = [];
    let isOver = false;
    const follow = async (): Promise<void> => {
      for (let after = 0; ; ) {
        const wasOver = isOver;
        const events = await second.changesSince(after, 100);
        seen.push(...events.map(({ id }) => id));
        after = seen.at(-1) ?? after;
        if (wasOver && events.length === 0) return;
      }
    };
    const following = follow();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        Promise.all(
          [first, second].map((store) =>
            store.apply([
              { kind: "group", value: { ...GROUP, name: `g${at}` }, expected: 0 },
              { kind: "lease", group: `g${at}`, value: LEASE, expected: 1 },
            ]),
          ),
        ),
      ),
    );
    isOver = true;
    await following;
    for (const pair of answers) expect(pair.filter(({ ok }) => ok)).toHaveLength(1);
    const events = await first.changesSince(0, 1_000);
    expect(seen).toEqual(events.map(({ id }) => id));
    await Promise.all(both.map(({ store }) => store.close()));
  });

  test("a table that gets a column under a coordinator that runs disturbs nobody", async () => {
    const url = await freshDatabase();
    const { store } = await openPostgres(url);
    await store.apply([group, { kind: "node", value: NODE, expected: 0 }]);
    const raise = (subject: string) =>
      store.apply([{ kind: "raise", alert: "node_offline", subject, message: "away", at: 1 }]);
    for (const subject of ["a", "b", "c"]) await raise(subject);
    for (let at = 0; at < 3; at += 1) await store.changesSince(0, 10);
    await onDatabase(url, "alter table alert add column later text; alter table event add column later text");
    await raise("d");
    expect(await store.openAlerts()).toHaveLength(4);
    expect((await store.changesSince(0, 10)).length).toBeGreaterThan(4);
    await store.close();
  });

  test("who stands still in the middle of a write holds the others up for two seconds and no longer", async () => {
    const url = await freshDatabase();
    const { socket, through } = behind(url);
    const proxy = await startTcpProxy({ path: socket });
    const stuck = await openPostgres(through(proxy.port));
    const { store } = await openPostgres(url);
    proxy.fault({ when: 'insert into "audit"', do: "hang", times: 1 });
    const late = stuck.store.apply([note("late")]);
    await expect.poll(() => proxy.hits()).toBe(1);
    const began = performance.now();
    await store.apply([note("others")]);
    expect(performance.now() - began).toBeLessThan(POOL_LIMITS.standstillMs + 1_500);
    proxy.cut();
    expect(await late).toEqual({ ok: true });
    expect((await store.audit(10)).map(({ subject }) => subject)).toEqual(["late", "others"]);
    await Promise.all([store.close(), stuck.store.close(), proxy.close()]);
  });
});

describe("its address", () => {
  test("may name hosts that are not there, or take no writes: the one that does is used", async () => {
    const url = await freshDatabase();
    const { socket, through } = behind(url);
    const [down, up] = [await startTcpProxy({ path: socket }), await startTcpProxy({ path: socket })];
    await down.close();
    const { store } = await openPostgres(through(down.port, up.port));
    expect(await store.apply([group])).toEqual({ ok: true });
    await store.close();
    await up.close();
  });

  test.each([
    ["postgres://u:p@a,b:5433/db", ["postgres://u:p@a/db", "postgres://u:p@b:5433/db"], "a,b:5433/db"],
    ["postgresql://a/db?target_session_attrs=read-write", ["postgresql://a/db"], "a/db"],
    ["postgres://[::1]:5432/db", ["postgres://[::1]:5432/db"], "[::1]:5432/db"],
    ["postgres://u@/db?host=/run/pg", ["postgres://u@/db?host=%2Frun%2Fpg"], "/run/pg/db"],
  ])("%s is read", (text, urls, shown) => {
    expect(readAddress(text)).toEqual({ ok: true, value: { urls, shown } });
  });

  test.each([
    "mysql://a/b",
    "postgres:///db",
    "postgres://a,,b/db",
    "postgres://a/db?target_session_attrs=any",
  ])("%s is refused, and no password is told", (text) => {
    const read = readAddress(text.replace("//a", "//u:secret@a"));
    expect(read.ok ? "" : read.error).toMatch(/./);
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  test("of a database that is not there is said so at once, without the password", async () => {
    const { through, socket } = behind(await freshDatabase());
    const proxy = await startTcpProxy({ path: socket });
    const address = readAddress(
      through(proxy.port).replace("postgres@", "postgres:secret@").replace(/t_\w+/, "nowhere"),
    );
    if (!address.ok) throw new Error(address.error);
    const opened = await openPostgresStore(address.value);
    expect(opened.ok ? null : opened.error).toMatchObject({ code: "store-unusable" });
    expect(JSON.stringify(opened)).not.toContain("secret");
    await proxy.close();
  });
});

describe("its tables", () => {
  const list = {
    "0001-first": { up: () => Promise.resolve() },
    "0002-expand-more": { up: () => Promise.resolve() },
    "0003-contract-less": { up: () => Promise.resolve() },
  };

  test("of a later coordinator that only added to them are used, and no others", async () => {
    const url = await freshDatabase();
    await onDatabase(url, "insert into kysely_migration (name, timestamp) values ('9998-expand-more', '')");
    const { store } = await openPostgres(url);
    await store.close();
    await onDatabase(url, "insert into kysely_migration (name, timestamp) values ('9999-contract-x', '')");
    await expect(openPostgres(url)).rejects.toThrow("a newer coordinator wrote it");
  });

  test("that are older are left to `coordinator migrate`", async () => {
    const url = await freshDatabase();
    await onDatabase(url, "delete from kysely_migration where name like '0009%'; drop table receipt");
    await expect(openPostgres(url)).rejects.toThrow(
      "older than this coordinator (0009-expand-receipts is missing)",
    );
  });

  test("are contracted only when told to, and a migration is run once", async () => {
    const url = await freshDatabase();
    await onDatabase(
      url,
      "truncate kysely_migration; insert into kysely_migration values ('0001-first', '2026-01-01T00:00:00.000Z')",
    );
    await onDatabase(url, async (db) => {
      const expanded = await migrate(db, { contract: false, known: list });
      expect(expanded).toEqual({
        ok: true,
        value: { ran: ["0002-expand-more"], left: ["0003-contract-less"] },
      });
      const both = await Promise.all([1, 2].map(() => migrate(db, { contract: true, known: list })));
      expect(both.flatMap((each) => (each.ok ? each.value.ran : ["failed"]))).toEqual(["0003-contract-less"]);
      expect(await migrationState(db, list)).toMatchObject({ ok: true, value: { pending: [] } });
    });
  });
});
