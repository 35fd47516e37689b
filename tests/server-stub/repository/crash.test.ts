import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TargetsMetadata } from "../../../protocol/metadata.ts";
import { targetPath } from "../../../protocol/trust.ts";
import { realFiles } from "../../../server-stub/repository/files.ts";
import type { Client } from "../../trust/client.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { DAY, NOW, sha256 } from "../../trust/simulator.ts";

const HOUR = 3_600_000;

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

describe("a crash between any two writes", () => {
  /** Stops the world at each durable step in turn, before it happens. */
  async function crashing(
    prepare: () => Promise<void>,
    change: (repository: Awaited<ReturnType<Publisher["open"]>>) => Promise<{ ok: boolean }>,
    check: (client: Client) => Promise<void>,
  ): Promise<number> {
    for (let steps = 0; ; steps++) {
      await publisher.remove();
      publisher = await Publisher.make();
      try {
        await prepare();
        const client = await publisher.node();
        await client.refreshed();
        let left = steps;
        const step = () => {
          if (left-- <= 0) throw new Error("crash");
        };
        const files = {
          ...realFiles,
          write: async (path: string, text: string, mode: number) => {
            step();
            await realFiles.write(path, text, mode);
          },
          move: async (from: string, to: string) => {
            step();
            await realFiles.move(from, to);
          },
          remove: async (path: string) => {
            step();
            await realFiles.remove(path);
          },
        };
        const result = await change(await publisher.open(files)).catch(() => null);
        await check(client); // as the crash left it, nobody having cleaned up
        const restarted = await publisher.open();
        must(await restarted.resign());
        await check(client);
        expect((await change(restarted)).ok).toBe(true);
        await check(client);
        if (result !== null) return steps;
      } finally {
        await publisher.remove();
      }
    }
  }

  it("of a publish leaves the old release or the new one, whole", async () => {
    let targets: TargetsMetadata | null = null;
    const seen = new Set<string>();
    const steps = await crashing(
      async () => {
        await publisher.ready("1.0.0");
        targets = publisher.sign("1.1.0");
        publisher.now += 1000;
      },
      async (repository) => {
        await publisher.upload(repository, "1.1.0");
        return repository.publish(targets, 1);
      },
      async (client) => {
        const { bundles } = await client.refreshed();
        seen.add(bundles.map(({ custom }) => custom.version).join());
        for (const { name, sha256: hash } of bundles) {
          expect(sha256(await publisher.target(targetPath(name, hash)))).toBe(hash);
        }
      },
    );
    expect(steps).toBe(4); // bundle, targets, snapshot, timestamp
    expect(seen).toEqual(new Set(["1.0.0", "1.0.0,1.1.0"]));
  });

  it.each(["root", "targets", "snapshot", "timestamp", "both online"] as const)(
    "of replacing keys (%s) leaves a repository that verifies",
    async (role) => {
      let update: Awaited<ReturnType<Publisher["rotate"]>> | null = null;
      const roots = new Set<number>();
      await crashing(
        async () => {
          await publisher.ready("1.0.0");
          update = await publisher.rotate(role);
          const first = await realFiles.read(join(publisher.dir, "repository", "metadata", "1.root.json"));
          publisher.root = JSON.parse(String(first)); // nodes were given the root of before
          publisher.now += 1000;
        },
        (repository) => repository.installTrust(update === null ? [] : [update]),
        async (client) => {
          roots.add((await client.refreshed()).versions.root);
          expect(await (await publisher.node()).releases()).toEqual(["1.0.0"]);
        },
      );
      expect(roots).toEqual(new Set([1, 2]));
    },
  );

  it("of signing anew leaves the old signatures or the new ones", async () => {
    await crashing(
      async () => {
        await publisher.ready("1.0.0");
        publisher.now = NOW + 4 * DAY;
      },
      (repository) => repository.resign(),
      async (client) => {
        client.now = NOW + HOUR;
        expect(await client.refresh()).toBe("ok");
      },
    );
  });
});
