import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../agent/effects/disk.ts";
import { refreshTrust } from "../../agent/effects/trust/refresh.ts";
import { Client } from "./client.ts";
import { Simulator } from "./simulator.ts";

let sim: Simulator;
let client: Client;
beforeEach(async () => {
  sim = new Simulator();
  client = await Client.make(sim);
});
afterEach(() => client.remove());

describe("a damaged cache", () => {
  beforeEach(() => client.refreshed());

  it.each(["root", "timestamp", "snapshot", "targets"] as const)(
    "is mended when %s is torn",
    async (role) => {
      await client.tear(`${role}.json`);
      const { notes, versions } = await client.refreshed();
      expect(versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
      expect(notes).toHaveLength(role === "root" ? 1 : 0);
      expect(await client.version(role)).toBe(1);
    },
  );

  it.each(["root", "timestamp", "snapshot", "targets"] as const)(
    "is mended when %s is gone",
    async (role) => {
      await rm(client.cached(`${role}.json`));
      expect(await client.refresh()).toBe("ok");
      expect(await client.version(role)).toBe(1);
    },
  );

  it("starts from the pinned root and follows the chain again when the cached root is torn", async () => {
    sim.rotate("timestamp");
    sim.resign();
    await client.refreshed();
    await client.tear("root.json");
    expect((await client.refreshed()).versions.root).toBe(2);
  });

  it("is set aside when it is not even a link, or when its directory is empty", async () => {
    await rm(join(client.stateDir, "tuf"), { recursive: true });
    await mkdir(join(client.stateDir, "tuf"));
    expect(await client.refresh()).toBe("ok");
  });

  it("is whole after a crash at any single step of writing it", async () => {
    const before = sim.capture();
    sim.rotate("root");
    sim.rotate("timestamp");
    sim.release("1.1.0");
    sim.publish();
    const news = sim.capture();
    let completed = false;
    for (let steps = 0; !completed; steps++) {
      const crashing = await Client.make(sim);
      try {
        crashing.pinnedRoot = client.pinnedRoot;
        before();
        await crashing.refreshed();
        news();
        let left = steps;
        const step = () => {
          if (left-- <= 0) throw new Error("crash");
        };
        crashing.disk = {
          ...realDisk,
          open: async (path, how, mode) => {
            if (how !== "read") step();
            const file = await realDisk.open(path, how, mode);
            return {
              ...file,
              write: async (data) => {
                if (left <= 0) await file.write(data.subarray(0, data.length / 2)); // torn
                step();
                await file.write(data);
              },
            };
          },
          rename: async (from, to) => {
            step();
            await realDisk.rename(from, to);
          },
          symlink: async (target, path) => {
            step();
            await realDisk.symlink(target, path);
          },
          mkdir: async (path, mode) => {
            step();
            await realDisk.mkdir(path, mode);
          },
          rm: async (path) => {
            step();
            await realDisk.rm(path);
          },
        };
        completed = (await refreshTrust(crashing.options).catch(() => null)) !== null;
        crashing.disk = realDisk;
        const roles = ["root", "timestamp", "snapshot", "targets"] as const;
        const onDisk = await Promise.all(roles.map((role) => crashing.version(role)));
        expect(["1,1,1,1", "3,2,2,2"]).toContain(onDisk.join());
        const after = await crashing.refreshed();
        expect(after.versions).toEqual({ root: 3, timestamp: 2, snapshot: 2, targets: 2 });
        expect(await readdir(join(crashing.stateDir, "tuf"))).toHaveLength(2);
      } finally {
        await crashing.remove();
      }
      expect(steps).toBeLessThan(100);
    }
  });
});
