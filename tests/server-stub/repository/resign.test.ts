import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realFiles } from "../../../server-stub/repository/files.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { DAY, NOW } from "../../trust/simulator.ts";

const HOUR = 3_600_000;

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

describe("signing anew", () => {
  it("happens when half of the time is gone, the snapshot's and the timestamp's apart", async () => {
    const repository = await publisher.ready("1.0.0");
    const at = async (ms: number) => {
      publisher.now = NOW + ms;
      return must(await repository.resign());
    };
    expect(await at(0)).toEqual([]);
    expect(await at(11 * HOUR)).toEqual([]);
    expect(await at(13 * HOUR)).toEqual(["timestamp"]);
    expect(await at(14 * HOUR)).toEqual([]);
    expect(await at(4 * DAY)).toEqual(["snapshot", "timestamp"]);
  });

  it("keeps nodes trusting for as long as it goes on, and raises versions each time", async () => {
    const repository = await publisher.ready("1.0.0");
    const client = await publisher.node();
    let last = 0;
    for (let hours = 0; hours < 24 * 20; hours += 6) {
      publisher.now = NOW + hours * HOUR;
      client.now = publisher.now;
      must(await repository.resign());
      const { versions } = await client.refreshed();
      expect(versions.timestamp).toBeGreaterThanOrEqual(last);
      last = versions.timestamp;
    }
    const files = await readdir(join(publisher.dir, "repository", "metadata"));
    expect(files.filter((name) => name.endsWith(".snapshot.json")).length).toBeLessThanOrEqual(5);
  });

  it("mends what was signed while the clock was ahead", async () => {
    const repository = await publisher.ready("1.0.0");
    publisher.now = Date.parse("2099-01-01T00:00:00Z");
    must(await repository.resign());
    publisher.now = NOW + HOUR;
    expect(must(await repository.resign())).toEqual(["snapshot", "timestamp"]);
    expect(await (await publisher.node()).refresh()).toBe("ok");
  });

  it("goes above what nodes have seen although the coordinator was restored from a backup", async () => {
    const repository = await publisher.ready("1.0.0");
    const client = await publisher.node();
    const metadata = join(publisher.dir, "repository", "metadata");
    const timestamp = await realFiles.read(join(metadata, "timestamp.json"));
    for (let hours = 13; hours < 24 * 6; hours += 13) {
      publisher.now = NOW + hours * HOUR;
      must(await repository.resign());
    }
    client.now = publisher.now;
    await client.refreshed();
    // The restore: an old timestamp, and the snapshots made since are gone.
    const first = String(timestamp).match(/"snapshot.json":\{"version":(\d+)/)?.[1];
    for (const name of await readdir(metadata)) {
      if (name.endsWith(".snapshot.json") && !name.startsWith(String(first))) await rm(join(metadata, name));
    }
    await writeFile(join(metadata, "timestamp.json"), String(timestamp));
    publisher.now += HOUR;
    client.now = publisher.now;
    const restored = await publisher.open();
    must(await restored.resign());
    expect(await client.refresh()).toBe("ok");
  });

  it.each(["timestamp.json", "snapshot", "published targets"])(
    "mends a repository whose %s is torn, from what the publisher has signed",
    async (what) => {
      const repository = await publisher.ready("1.0.0", "1.1.0");
      const metadata = join(publisher.dir, "repository", "metadata");
      const names = await readdir(metadata);
      const snapshot = names.filter((name) => name.endsWith(".snapshot.json")).at(-1) ?? "";
      const file = { "timestamp.json": what, snapshot, "published targets": "2.targets.json" }[what] ?? "";
      await writeFile(join(metadata, file), '{"signatures":[');
      const again = await publisher.open();
      must(await again.resign());
      const seen = await (await publisher.node()).releases();
      expect(seen).toEqual(what === "published targets" ? ["1.0.0"] : ["1.0.0", "1.1.0"]);
      expect(repository.targetsVersion).toBe(2);
    },
  );
});

describe("a warning", () => {
  it("comes before root or targets expire, and says how long is left", async () => {
    const repository = await publisher.ready("1.0.0");
    expect(repository.expiring(NOW + 149 * DAY)).toEqual([]);
    expect(repository.expiring(NOW + 151 * DAY)).toMatchObject([
      { role: "targets", version: 1, leftMs: 29 * DAY },
    ]);
    expect(repository.expiring(NOW + 366 * DAY).map(({ role, leftMs }) => [role, leftMs < 0])).toEqual([
      ["root", true],
      ["targets", true],
    ]);
  });
});
