import { once } from "node:events";
import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { unpackBackup } from "../../../server-stub/backup/unpack.ts";
import { namesFit, Place } from "./place.ts";

let out: string;
let place: Place;
const clean = async () => {
  await place[Symbol.asyncDispose]();
  await rm(out, { recursive: true });
};

const file = () => join(out, "b.tar.zst");
const asJson = ({ said }: { said: string }) => JSON.parse(said) as Record<string, unknown>;
/** The members of a backup, by their paths. */
async function members(path = file()): Promise<string[]> {
  const dir = await mkdtemp(join(out, "look-"));
  const manifest = await unpackBackup(Readable.from([await readFile(path)]), (name) => join(dir, name));
  return manifest.members.map((member) => member.path);
}

describe("coordinator backup", () => {
  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), "baton-out-"));
    place = await Place.make("1.0.0");
  });
  afterEach(clean);

  test("of one that runs is whole, its owner's alone, and says what it holds", async () => {
    await place.start();
    const made = await place.run("backup", file(), "--json");
    expect(made.status).toBe(0);
    expect(asJson(made)).toMatchObject({ file: file(), keys: true, bundles: false });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(out)).toEqual(["b.tar.zst"]);
    expect(await place.leftovers()).toEqual([]);
    const verified = await place.run("backup", "--verify", file(), "--json");
    expect(asJson(verified)).toMatchObject({ root: 1, targets: 1, keys: true, bundles: false });
    const paths = await members();
    expect(paths).toContain("coordinator.db");
    expect(paths.filter((path) => path.startsWith("keys/"))).toHaveLength(2);
    await place.stop();
    const [entry] = await place.stored((store) => store.audit(1));
    expect(entry).toMatchObject({
      action: "store.backed-up",
      actor: "operator local",
      after: { keys: true },
    });
    expect((await place.stored((store) => store.meta())).value.backedUpAt).toBeGreaterThan(
      Date.now() - 60_000,
    );
  });

  test("of one that is stopped is the same; keys and bundles are a choice", async () => {
    expect((await place.run("backup", file(), "--without-keys", "--with-bundles")).status).toBe(0);
    const paths = await members();
    expect(paths.filter((path) => path.startsWith("keys/"))).toEqual([]);
    expect(paths.filter((path) => path.startsWith("repository/targets/1.0.0/"))).toHaveLength(1);
    expect((await place.run("backup", "--verify", file())).said).toContain("no keys and the bundles");
  });

  test("is not told over the network, whatever the token", async () => {
    await place.start();
    const token = (await place.run("token", "create", "ann", "--role", "admin")).said;
    const answer = await fetch(`${place.url}/v1/backup`, { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, "forbidden"]);
  });

  test("that is killed leaves the one of before as it was, and nothing in the way of the next", async () => {
    await writeFile(file(), "the one of before");
    await place.start();
    const child = place.spawn("backup", file());
    await namesFit(out, (names) => names.includes(".b.tar.zst.part"));
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await readFile(file(), "utf8")).toBe("the one of before");
    await namesFit(place.dir, (names) => !names.some((name) => name.startsWith(".backup-")));
    expect((await place.run("backup", file())).status).toBe(0);
    expect((await readdir(out)).sort()).toEqual(["b.tar.zst"]);
    expect((await place.run("backup", "--verify", file())).status).toBe(0);
  });

  test("names a directory that is not there", async () => {
    const refused = await place.run("backup", join(out, "nowhere", "b.tar.zst"));
    expect(refused).toMatchObject({ status: 1, said: expect.stringContaining("cannot be written") });
    expect(await place.leftovers()).toEqual([]);
  });
});

describe("a backup that is none", () => {
  let whole: string;
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), "baton-out-"));
    place = await Place.make("1.0.0");
    whole = join(out, "whole.tar.zst");
    await place.run("backup", whole);
    await place.addGroup("kept");
  });
  afterAll(clean);

  test.each<[string, (path: string) => Promise<void>]>([
    ["is cut off", async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
    ["lacks its last byte", async (path) => truncate(path, (await stat(path)).size - 1)],
    ["is empty", (path) => truncate(path, 0)],
    ["is something else", (path) => writeFile(path, "something else")],
    ["is an archive of something else", (path) => writeFile(path, zstdCompressSync(Buffer.alloc(2048, "x")))],
    [
      "has one changed byte",
      async (path) => {
        const bytes = await readFile(path);
        const at = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        await writeFile(path, bytes);
      },
    ],
  ])("because it %s is refused, and changes nothing", async (_what, spoil) => {
    await copyFile(whole, file());
    await spoil(file());
    const before = await readdir(place.dir);
    expect(await place.run("backup", "--verify", file())).toMatchObject({
      status: 1,
      said: expect.stringContaining("The backup cannot be used"),
    });
    expect((await place.run("restore", file(), "--force")).status).toBe(1);
    expect(await readdir(place.dir)).toEqual(before);
    expect(await place.groups()).toEqual(["kept"]);
  });
});
