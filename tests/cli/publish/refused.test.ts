import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openBundle } from "../../../cli/publish/bundle.ts";
import type { PublishApi } from "../../../cli/publish/current.ts";
import { ok } from "../../../protocol/result.ts";
import { Client } from "../../trust/client.ts";
import { must } from "../../trust/publisher.ts";
import { PASSPHRASE, usePublishing } from "./publishing.ts";

const at = usePublishing();
const { api, fetchFiles, keys, publish } = at;

describe("publishing is refused, before anything is uploaded,", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["for bundles of several versions", () => publish(["1.0.0", "1.1.0"]), "several-versions"],
    ["for two bundles for one platform", () => publish(["1.1.0", "1.1.0-again"]), "twice-the-platform"],
    ["for a floor above the version", () => publish(["1.0.0"], { minVersion: "1.0.1" }), "bad-min-version"],
    ["for a floor that is no version", () => publish(["1.0.0"], { minVersion: "one" }), "bad-min-version"],
    [
      "for a wrong passphrase",
      () => publish(["1.0.0"], { keys: { dir: keys(), passphrase: "wrong" } }),
      "wrong-passphrase",
    ],
    [
      "without keys",
      () => publish(["1.0.0"], { keys: { dir: join(at.dir, "none"), passphrase: PASSPHRASE } }),
      "no-keys",
    ],
  ])("%s", async (_why, attempt, code) => {
    expect(await attempt()).toMatchObject({ ok: false, error: { code } });
    expect(at.uploads).toEqual([]);
    expect(at.repository.targetsVersion).toBe(0);
  });

  it("when a file is no bundle, or is missing", async () => {
    const file = join(at.dir, "junk.tar.zst");
    await writeFile(file, "junk");
    expect(await openBundle(file)).toMatchObject({ error: { code: "bundle-corrupt" } });
    expect(await openBundle(join(at.dir, "missing"))).toMatchObject({ error: { code: "no-file" } });
  });

  it("when the coordinator slips in something that our keys have not signed", async () => {
    must(await publish(["1.0.0"]));
    const file = join(at.dir, "repository", "metadata", "1.targets.json");
    const forged = JSON.parse(await readFile(file, "utf8"));
    forged.signed.targets["9.9.9/linux-x64-000000000000.tar.zst"] = {
      length: 1,
      hashes: { sha256: "0".repeat(64) },
    };
    await writeFile(file, JSON.stringify(forged));
    expect(await publish(["1.1.0"])).toMatchObject({ error: { code: "bad-signature" } });
  });

  it("when the coordinator hides what was published from here", async () => {
    must(await publish(["1.0.0"]));
    const hiding = {
      ...api(),
      call: (request: Parameters<PublishApi["call"]>[0]) =>
        request.path === "/v1/releases"
          ? Promise.resolve(ok({ releases: [], targetsVersion: 0, expiresAt: null }))
          : api().call(request),
    } as PublishApi;
    expect(await publish(["1.1.0"], { api: hiding })).toMatchObject({ error: { code: "rolled-back" } });
  });

  it("when the coordinator was restored to before a publish, until that is said; nodes then go on at once", async () => {
    must(await publish(["1.0.0"]));
    await cp(join(at.dir, "repository"), join(at.dir, "backup"), { recursive: true });
    must(await publish(["1.1.0"]));
    const client = await Client.make({
      pinnedRoot: await readFile(join(keys(), "1.root.json")),
      fetch: fetchFiles,
    });
    try {
      await client.refreshed();
      await rm(join(at.dir, "repository"), { recursive: true });
      await cp(join(at.dir, "backup"), join(at.dir, "repository"), { recursive: true });
      await at.reopen();
      at.now += 60_000;
      expect(await client.refresh()).toBe("rolled-back");
      expect(await publish(["1.1.0"])).toMatchObject({ error: { code: "rolled-back" } });
      expect(must(await publish(["1.1.0"], { afterRestore: true }))).toMatchObject({ targetsVersion: 3 });
      expect((await client.refreshed()).versions.targets).toBe(3);
    } finally {
      await client.remove();
    }
  });

  it("when somebody else was faster", async () => {
    must(await publish(["1.0.0"]));
    let raced = false;
    const racing: PublishApi = {
      ...api(),
      upload: async (path, body, bytes, answer) => {
        const done = await api().upload(path, body, bytes, answer);
        if (!raced) {
          raced = true;
          must(await publish(["1.1.0-arm"]));
        }
        return done;
      },
    };
    expect(await publish(["1.1.0"], { api: racing })).toMatchObject({
      error: { code: "targets-version-conflict" },
    });
    expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 3 });
  });
});
