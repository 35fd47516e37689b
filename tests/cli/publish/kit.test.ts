import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../../agent/effects/disk.ts";
import { openKit } from "../../../agent/effects/trust/kit.ts";
import { initKeys } from "../../../cli/keys/init.ts";
import { rotateKeys, signRequest } from "../../../cli/keys/sign.ts";
import { exportKit } from "../../../cli/publish/export.ts";
import type { Platform } from "../../../protocol/build.ts";
import { metadataText } from "../../../protocol/metadata.ts";
import { firstKeyRequest } from "../../../server-stub/repository/online-keys.ts";
import { Client } from "../../trust/client.ts";
import { must } from "../../trust/publisher.ts";
import { DAY, NOW } from "../../trust/simulator.ts";
import { PASSPHRASE, usePublishing } from "./publishing.ts";

const at = usePublishing();
const { fetchFiles, file, keys, open, publish } = at;

describe("an offline kit", () => {
  let client: Client;
  const kit = () => join(at.dir, "release.kit");
  const downloadDir = () => join(at.dir, "download");
  const take = (platform: Platform = "linux-x64") =>
    openKit(client.options, { file: kit(), platform, downloadDir: downloadDir() });

  beforeEach(async () => {
    must(await publish(["1.0.0"]));
    must(await publish(["1.1.0", "1.1.0-arm"], { minVersion: "1.0.0" }));
    const pinnedRoot = await readFile(join(keys(), "1.root.json"));
    client = await Client.make({ pinnedRoot, fetch: fetchFiles });
    must(await exportKit(keys(), [await open("1.1.0"), await open("1.1.0-arm")], kit()));
  });
  afterEach(() => client.remove());

  it("gives a node its bundle, verified, without a network", async () => {
    const arm = must(await take("linux-arm64"));
    expect(arm.bundle.custom).toMatchObject({
      version: "1.1.0",
      platform: "linux-arm64",
      minVersion: "1.0.0",
    });
    expect(await readFile(arm.path)).toEqual(await readFile(file("1.1.0-arm")));
  });

  it("carries the chain of roots to a node that has only the first", async () => {
    must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now: at.now }, "root"));
    const { update } = must(
      await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now: at.now }, "targets"),
    );
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    must(await take());
    expect(await client.version("root")).toBe(update.root.signed.version);
  });

  it("does not care that snapshot and timestamp would have expired, but that targets and root have", async () => {
    client.now = NOW + 100 * DAY;
    must(await take());
    client.now = NOW + 181 * DAY;
    expect(await take()).toMatchObject({ error: { code: "expired" } });
    client.now = NOW + 366 * DAY;
    expect(await take()).toMatchObject({ error: { code: "expired", context: { role: "root" } } });
  });

  it("that is older than what the node has seen is refused; a later one raises what counts as seen", async () => {
    const older = await readFile(kit());
    must(await publish([]));
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    must(await take());
    await writeFile(kit(), older);
    expect(await take()).toMatchObject({ error: { code: "rolled-back" } });
    expect(await client.refresh()).toBe("ok"); // and the network agrees, once it is there
  });

  it("is whole or refused, wherever it was damaged, and leaves nothing", async () => {
    const good = await readFile(kit());
    const wanted = await readFile(file("1.1.0"));
    const { path } = must(await take());
    await rm(path);
    // A cut anywhere, and a flipped bit in every part.
    for (let at = 100; at < good.length - 1024; at += 1009) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      for (const bytes of [flipped, good.subarray(0, at)]) {
        await writeFile(kit(), bytes);
        const taken = await take();
        // Taken where what was hit is another platform's, or padding that nobody reads.
        const content = taken.ok ? await readFile(taken.value.path) : wanted;
        expect(content).toEqual(wanted);
        if (taken.ok) await rm(taken.value.path);
        expect(await realDisk.readdir(downloadDir())).toEqual([]);
      }
    }
  });

  it("that is no archive, or not there, is refused", async () => {
    await writeFile(kit(), "hello");
    expect(await take()).toMatchObject({ error: { code: "bad-kit" } });
    await rm(kit());
    expect(await take()).toMatchObject({ error: { code: "bad-kit" } });
  });

  it("of another publisher is refused", async () => {
    const stranger = { dir: join(at.dir, "stranger"), passphrase: PASSPHRASE, now: at.now };
    must(await initKeys(stranger.dir, PASSPHRASE));
    const { update } = must(
      await signRequest(stranger, JSON.stringify(await firstKeyRequest(join(at.dir, "online")))),
    );
    client.pinnedRoot = Buffer.from(metadataText(update.root));
    expect(await take()).toMatchObject({ error: { code: "bad-signature" } });
    must(await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now: at.now }, "root"));
    must(await exportKit(keys(), [await open("1.1.0")], kit()));
    expect(await take()).toMatchObject({ error: { code: "root-not-chained" } });
  });

  it("without a bundle for this platform says so", async () => {
    must(await exportKit(keys(), [await open("1.1.0-arm")], kit()));
    expect(await take()).toMatchObject({ error: { code: "no-build-for-platform" } });
  });

  it("on a full disk leaves nothing", async () => {
    const disk: typeof realDisk = {
      ...realDisk,
      open: async (path, how, mode) => {
        const file = await realDisk.open(path, how, mode);
        if (!path.endsWith(".part")) return file;
        return { ...file, write: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })) };
      },
    };
    const options = { ...client.options, disk };
    const taken = await openKit(options, { file: kit(), platform: "linux-x64", downloadDir: downloadDir() });
    expect(taken).toMatchObject({ error: { code: "disk-full" } });
    expect(await realDisk.readdir(downloadDir())).toEqual([]);
  });

  it("is not made of what was not published, or not so", async () => {
    const again = [await open("1.1.0-again")];
    expect(await exportKit(keys(), again, kit())).toMatchObject({ error: { code: "not-published" } });
    expect(await exportKit(join(at.dir, "none"), again, kit())).toMatchObject({ error: { code: "no-root" } });
    const targets = join(keys(), "targets.json");
    const signed = JSON.parse(await readFile(targets, "utf8"));
    signed.signed.version = 99;
    await writeFile(targets, metadataText(signed));
    expect(await exportKit(keys(), [await open("1.1.0")], kit())).toMatchObject({
      error: { code: "bad-signature" },
    });
  });
});
