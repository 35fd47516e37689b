import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signMetadata } from "../../../protocol/metadata.ts";
import { finishSwap, type Move } from "../../../server-stub/backup/swap.ts";
import { must } from "../../trust/publisher.ts";
import { namesFit, Place } from "./place.ts";

let out: string;
let place: Place;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "baton-out-"));
  place = await Place.make("1.0.0");
  await place.addGroup("before");
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
  await rm(out, { recursive: true });
});
const file = () => join(out, "b.tar.zst");
const backUp = async (...options: string[]) =>
  expect((await place.run("backup", file(), ...options)).status).toBe(0);
const epoch = async () => (await place.stored((store) => store.meta())).value.tokenEpoch;

describe("coordinator restore", () => {
  test("brings back what was there, under a new epoch, and keeps what was in its place", async () => {
    await backUp();
    await place.addGroup("after");
    const refused = await place.run("restore", file());
    expect(refused).toMatchObject({ status: 1, said: expect.stringContaining("There is a database") });
    expect(await place.groups()).toEqual(["after", "before"]);
    const restored = await place.run("restore", file(), "--force");
    expect(restored).toMatchObject({ status: 0, said: expect.stringContaining("Lease tokens begin anew") });
    expect(await place.groups()).toEqual(["before"]);
    expect(await place.leftovers()).toEqual([]);
    const [kept] = (await readdir(place.dir)).filter((name) => name.startsWith("replaced-"));
    expect((await readdir(place.at(kept ?? ""))).sort()).toEqual(["coordinator.db", "keys", "repository"]);
    const first = await epoch();
    expect(first).toBeGreaterThan(0);
    expect((await place.run("restore", file(), "--force")).status).toBe(0);
    expect(await epoch()).toBeGreaterThan(first);
    await place.start();
  });

  test("works on a machine that has nothing, and says which bundles are missing", async () => {
    await backUp();
    const other = await Place.make();
    try {
      for (const name of await readdir(other.dir)) await rm(other.at(name), { recursive: true });
      const restored = JSON.parse((await other.run("restore", file(), "--json")).said);
      expect(restored).toMatchObject({
        signed: true,
        replaced: null,
        sameSettings: false,
        missingBundles: [expect.stringContaining("1.0.0/linux-x64")],
      });
      expect(await other.groups()).toEqual(["before"]);
      expect((await (await other.repository()).resign()).ok).toBe(true);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  test("with the bundles in it needs nothing published again", async () => {
    await backUp("--with-bundles");
    await rm(place.at("repository"), { recursive: true });
    const restored = JSON.parse((await place.run("restore", file(), "--force", "--json")).said);
    expect(restored.missingBundles).toEqual([]);
  });

  test("without keys leaves the signing to keys that a root has to name", async () => {
    await backUp("--without-keys");
    await rm(place.at("keys"), { recursive: true });
    const { said } = await place.run("restore", file(), "--force");
    expect(said).toContain("could not be signed: Root version 1 does not name");
  });

  test("is refused while the coordinator runs", async () => {
    await backUp();
    await place.start();
    expect(await place.run("restore", file(), "--force")).toMatchObject({
      status: 1,
      said: expect.stringContaining("The coordinator runs"),
    });
    expect(await place.leftovers()).toEqual([]);
  });

  test("goes over a database that cannot be read any more", async () => {
    await backUp();
    await writeFile(place.config.databaseFile, "no database");
    expect((await place.run("restore", file(), "--force")).status).toBe(0);
    expect(await place.groups()).toEqual(["before"]);
  });
});

describe("what nodes have seen", () => {
  test("is never newer than what they are told after a restore", async () => {
    const node = await place.publisher.node();
    node.now = Date.now();
    await backUp();
    // Signed again and again meanwhile: versions run ahead of the clock.
    const repository = await place.repository();
    for (let times = 0; times < 5; times += 1)
      must(await repository.signAbove({ snapshot: 0, timestamp: 0 }));
    expect(await node.refresh()).toBe("ok");
    const seen = await node.version("timestamp");
    expect((await place.run("restore", file(), "--force")).status).toBe(0);
    expect(await node.refresh()).toBe("ok");
    expect(await node.version("timestamp")).toBeGreaterThan(seen);
  });

  test("is kept when the disk still has it: releases and roots that are newer than the backup", async () => {
    const node = await place.publisher.node();
    node.now = Date.now();
    await backUp();
    await place.publish("1.1.0");
    const update = await place.publisher.rotate("both online");
    must(await (await place.repository()).installTrust([update]));
    expect(await node.releases()).toEqual(["1.0.0", "1.1.0"]);
    const restored = JSON.parse((await place.run("restore", file(), "--force", "--json")).said);
    expect(restored).toMatchObject({ carried: { root: 2, targets: 2 }, signed: true, missingBundles: [] });
    expect(await node.releases()).toEqual(["1.0.0", "1.1.0"]);
  });

  test("cannot be told when a release is lost, until the publisher signs above it", async () => {
    const node = await place.publisher.node();
    node.now = Date.now();
    await backUp();
    await place.publish("1.1.0");
    expect(await node.releases()).toEqual(["1.0.0", "1.1.0"]);
    await rm(place.at("repository"), { recursive: true });
    expect((await place.run("restore", file(), "--force")).status).toBe(0);
    expect(await node.refusal()).toBe("rolled-back");
    // What `baton publish --after-restore` does: above what was signed, on top of what is there.
    const lost = place.publisher.targets;
    if (lost === null) throw new Error("nothing was published");
    const again = signMetadata({ ...lost.signed, version: lost.signed.version + 1 }, [
      place.publisher.signers.targets,
    ]);
    const repository = await place.repository();
    for (const version of ["1.0.0", "1.1.0"]) await place.publisher.upload(repository, version);
    must(await repository.publish(again, 1));
    expect(await node.releases()).toEqual(["1.0.0", "1.1.0"]);
  });

  test("what a damaged or forged repository says is not believed", async () => {
    await backUp();
    await place.publish("1.1.0");
    const metadata = place.at("repository", "metadata");
    await writeFile(join(metadata, "7.targets.json"), await readFile(join(metadata, "1.targets.json")));
    await writeFile(join(metadata, "2.targets.json"), "{}");
    await writeFile(join(metadata, "2.root.json"), await readFile(join(metadata, "1.root.json")));
    const restored = JSON.parse((await place.run("restore", file(), "--force", "--json")).said);
    expect(restored.carried).toMatchObject({ root: 0, targets: 0 });
    expect((await place.repository()).targetsVersion).toBe(1);
  });
});

describe("a restore that is cut off", () => {
  test("by kill -9 before it has everything leaves all as it was", async () => {
    await backUp();
    await place.addGroup("after");
    const fifo = join(out, "fifo");
    execFileSync("mkfifo", [fifo]);
    const bytes = await readFile(file());
    const child = place.spawn("restore", fifo, "--force");
    const feed = createWriteStream(fifo);
    await new Promise((resolve) => feed.write(bytes.subarray(0, bytes.length - 64), resolve));
    await namesFit(place.dir, (names) => names.some((name) => /^\.restore-.*\.db$/.test(name)));
    child.kill("SIGKILL");
    await once(child, "exit");
    feed.on("error", () => undefined).destroy();
    expect(await place.groups()).toEqual(["after", "before"]);
    await place.start();
    await place.stop();
    expect(await place.leftovers()).toEqual([]);
    expect((await place.run("restore", file(), "--force")).status).toBe(0);
    expect(await place.groups()).toEqual(["before"]);
  });

  test("anywhere in its renames is finished by whoever comes next", async () => {
    for (let done = 0; done <= 8; done += 1) {
      const dir = await mkdtemp(join(out, "swap-"));
      const at = (...path: string[]) => join(dir, ...path);
      await mkdir(at("aside"));
      await mkdir(at("staged"));
      for (const [name, text] of [
        ["db", "old"],
        ["db-wal", "old"],
        ["repository", "old"],
        ["staged/db", "new"],
        ["staged/repository", "new"],
        ["staged/keys", "new"],
      ] as const)
        await writeFile(at(name), text);
      const moves: Move[] = [
        { from: null, to: at("db-wal"), aside: at("aside/db-wal") },
        { from: at("staged/db"), to: at("db"), aside: at("aside/db") },
        { from: at("staged/repository"), to: at("repository"), aside: at("aside/repository") },
        { from: at("staged/keys"), to: at("keys"), aside: at("aside/keys") },
      ];
      // Every single rename, as a process that is killed after `done` of them leaves it.
      const renames: (readonly [string, string])[] = [
        [at("db-wal"), at("aside/db-wal")],
        [at("db"), at("aside/db")],
        [at("staged/db"), at("db")],
        [at("repository"), at("aside/repository")],
        [at("staged/repository"), at("repository")],
        [at("staged/keys"), at("keys")],
      ];
      const plan = { format: 1, moves, remove: [at("staged")] };
      await writeFile(at("restore.json"), JSON.stringify(plan));
      for (const [from, to] of renames.slice(0, done)) await rename(from, to);
      expect(await finishSwap(dir)).toBe(true);
      expect(await finishSwap(dir)).toBe(false);
      const texts = await Promise.all(
        ["db", "repository", "keys", "aside/db", "aside/db-wal", "aside/repository"].map((name) =>
          readFile(at(name), "utf8"),
        ),
      );
      expect({ done, texts }).toEqual({ done, texts: ["new", "new", "new", "old", "old", "old"] });
      expect((await readdir(dir)).sort()).toEqual(["aside", "db", "keys", "repository"]);
    }
  });

  test("is finished when the coordinator is started", async () => {
    await backUp();
    await rename(place.config.databaseFile, place.at("aside.db"));
    const moves = [{ from: place.at("aside.db"), to: place.config.databaseFile, aside: place.at("x") }];
    await writeFile(place.at("restore.json"), JSON.stringify({ format: 1, moves, remove: [] }));
    expect(await place.run("token", "list")).toMatchObject({ status: 0 });
    expect(await place.groups()).toEqual(["before"]);
  });
});
