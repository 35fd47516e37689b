import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TokenList } from "../../protocol/access.ts";
import { FaultError } from "../../protocol/result.ts";
import { type Config, parseConfig } from "../../server-stub/config.ts";
import { asLocal, type Local } from "../../server-stub/local.ts";
import { openSqliteStore } from "../../server-stub/store/sqlite/open.ts";

let config: Config;

beforeEach(async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "baton-local-"));
  const parsed = parseConfig("", "coordinator.toml", { stateDir });
  if (!parsed.ok) throw new FaultError(parsed.error);
  config = parsed.value;
});
afterEach(() => rm(config.stateDir, { recursive: true }));

const listTokens = (local: Local) => local.call("GET", "/v1/tokens", TokenList);

async function openStore() {
  const store = await openSqliteStore(config.databaseFile);
  if (!store.ok) throw new FaultError(store.error);
  return store.value;
}

describe("the local administrator, while another process has the database and does not answer yet", () => {
  test("waits for it", async () => {
    const other = await openStore();
    let waits = 0;
    const listed = await asLocal(config, listTokens, async () => {
      waits += 1;
      if (waits === 3) await other.close();
    });
    expect(listed.tokens).toEqual([]);
    expect(waits).toBe(3);
  });

  test("gives up after a while and says why", async () => {
    const other = await openStore();
    let waited = 0;
    const asked = asLocal(config, listTokens, async (ms) => {
      waited += ms;
    });
    await expect(asked).rejects.toMatchObject({ fault: { code: "store-in-use" } });
    expect(waited).toBeGreaterThanOrEqual(5_000);
    await other.close();
  });
});
