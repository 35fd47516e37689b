import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../server-stub/cli.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import type { Store } from "../../../server-stub/store/store.ts";

describe("coordinator restored", () => {
  let stateDir: string;
  let config: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "baton-restored-"));
    config = join(stateDir, "coordinator.toml");
    await writeFile(config, "");
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  const say = async (...argv: string[]) => {
    const said: string[] = [];
    const take = (text: string) => void said.push(text);
    const world = { print: take, say: take, becomeOwnerOf: async () => undefined };
    const status = await run(world, ["--config", config, "--state-dir", stateDir, ...argv]);
    return { status, said: said.join("\n") };
  };
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore(join(stateDir, "coordinator.db"));
    if (!store.ok) throw new Error(store.error.message);
    return store.value;
  };
  const epoch = async (): Promise<number> => {
    const store = await open();
    try {
      return (await store.meta()).value.tokenEpoch;
    } finally {
      await store.close();
    }
  };

  it("begins a new epoch of lease tokens, another one each time", async () => {
    expect((await say("init")).status).toBe(0);
    expect(await epoch()).toBe(0);
    expect((await say("restored")).status).toBe(0);
    const first = await epoch();
    expect(first).toBeGreaterThan(0);
    const again = await say("restored", "--json");
    expect(JSON.parse(again.said)).toEqual({ tokenEpoch: first + 1 });
    expect(await epoch()).toBe(first + 1);
  });

  it("is refused while a coordinator has the database, and changes nothing", async () => {
    await say("init");
    const store = await open();
    try {
      const refused = await say("restored");
      expect(refused.status).toBe(1);
      expect(refused.said).toContain("Another coordinator has");
    } finally {
      await store.close();
    }
    expect(await epoch()).toBe(0);
  });

  it("makes no database where there is none", async () => {
    const refused = await say("restored");
    expect(refused.status).toBe(1);
    expect(refused.said).toContain("There is no database");
    expect(existsSync(join(stateDir, "coordinator.db"))).toBe(false);
  });
});
