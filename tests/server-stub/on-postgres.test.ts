/** A whole coordinator whose database is at a PostgreSQL server. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { assemble } from "../../server-stub/assemble.ts";
import { run } from "../../server-stub/cli.ts";
import { systemClock } from "../../server-stub/clock.ts";
import { parseConfig } from "../../server-stub/config.ts";
import { freshDatabase } from "../harness/postgres/of-this-run.ts";
import { startCoordinator } from "./harness/coordinator.ts";
import { joinNode } from "./harness/node.ts";
import { numberOf, readScrape } from "./metrics/scrape.ts";
import { onDatabase } from "./store/postgres-client.ts";

test("serves nodes and operators, and knows after a restart what it knew before", async () => {
  const coordinator = await startCoordinator(
    `database = "${await freshDatabase()}"\n[metrics]\npublic = true`,
  );
  try {
    const node = await joinNode(coordinator, { name: "one" });
    const shown = await coordinator.call("GET", `/v1/nodes/${node.nodeId}`);
    expect(shown.body).toMatchObject({ name: "one" });
    const local = { kind: "operator", id: "local", name: "local", role: "admin", from: "here" } as const;
    const assembled = await assemble(coordinator.config, pino({ level: "silent" }), systemClock);
    if (!assembled.ok) throw new Error(assembled.error.message);
    const backup = await assembled.value.doors.openBackup?.(local, { withKeys: true, withBundles: false });
    expect(backup).toMatchObject({ ok: false, error: { code: "wrong-state" } });
    await assembled.value.close();
    await coordinator.restart();
    expect((await coordinator.call("GET", `/v1/nodes/${node.nodeId}`)).body).toMatchObject({ name: "one" });
    const audit = await coordinator.call("GET", "/v1/audit");
    expect(JSON.stringify(audit.body)).not.toContain("store.restored");
    const scrape = readScrape(await (await fetch(`${coordinator.url}/metrics`)).text());
    expect(numberOf(scrape, "baton_database_standbys", { sync: "no" })).toBe(0);
  } finally {
    await coordinator.stop();
  }
});

test("`coordinator migrate` says what it would do, does it once, and `restored` begins a new epoch", async () => {
  const url = await freshDatabase();
  const dir = await mkdtemp(join(tmpdir(), "baton-migrate-"));
  const config = join(dir, "coordinator.toml");
  await writeFile(config, `state_dir = "${dir}"\ndatabase = "${url}"\n`);
  const command = async (...argv: string[]) => {
    const texts: string[] = [];
    const print = (text: string) => void texts.push(text);
    const status = await run({ print, say: print, becomeOwnerOf: async () => undefined }, [
      "--config",
      config,
      ...argv,
    ]);
    return { status, said: texts.join("\n") };
  };
  try {
    await onDatabase(url, "delete from kysely_migration where name like '0009%'; drop table receipt");
    expect(await command("restored")).toMatchObject({ status: 1, said: expect.stringContaining("migrate") });
    const would = { status: 0, said: "Would run  0009-expand-receipts" };
    expect(await command("migrate", "--dry-run")).toEqual(would);
    expect(await command("migrate", "--dry-run")).toEqual(would);
    expect(await command("migrate")).toEqual({ status: 0, said: "Ran  0009-expand-receipts" });
    expect(await command("migrate", "--json")).toEqual({
      status: 0,
      said: '{"dryRun":false,"ran":[],"left":[]}',
    });
    expect((await command("restored")).said).toMatch(/epoch \d+/);
    expect((await command("restore", config)).said).toContain("restored by its own tools");
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("the settings name a file or a server, and say what is wrong without the password", () => {
  const parse = (text: string) => parseConfig(text, "c.toml");
  const both = parse('[database]\nfile = "a.db"\nurl = "postgres://h/d"');
  expect(both.ok ? "" : both.error.message).toContain("c.toml:2: database.file");
  const wrong = parse('database = "postgres://u:secret@/d"');
  expect(wrong.ok ? "" : wrong.error.message).toBe("c.toml:1: database.url: names no host.");
  const other = parse('database = "mysql://h/d"');
  expect(other.ok ? "" : other.error.message).toContain("begins with postgres://");
  const long = parse('[database]\nurl = "postgres://u@h1,h2:5433/d"');
  const short = parse('database = "postgres://u@h1,h2:5433/d"');
  expect(long).toEqual(short);
  expect(short.ok && short.value.postgres?.shown).toBe("h1,h2:5433/d");
});
