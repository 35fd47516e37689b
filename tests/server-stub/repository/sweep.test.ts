import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signMetadata } from "../../../protocol/metadata.ts";
import type { Repository } from "../../../server-stub/repository/repository.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { DAY } from "../../trust/simulator.ts";

const KEPT = 30 * DAY;

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

const at = (...path: string[]) => join(publisher.dir, "repository", ...path);
const bundles = async () =>
  (await readdir(at("targets"), { recursive: true })).filter((name) => name.endsWith(".tar.zst")).length;

/** Publishes targets that name `versions` and nothing else. */
async function only(repository: Repository, ...versions: string[]): Promise<void> {
  const before = publisher.targets;
  if (before === null) throw new Error("nothing is published");
  const targets = Object.fromEntries(
    Object.entries(before.signed.targets).filter(([name]) =>
      versions.some((each) => name.startsWith(`${each}/`)),
    ),
  );
  const signed = { ...before.signed, targets, version: before.signed.version + 1 };
  const next = signMetadata(signed, [publisher.signers.targets]);
  must(await repository.publish(next, before.signed.version));
  publisher.targets = next;
}

describe("a bundle that no release names any more", () => {
  it("goes when its time is over, counted from when it was first seen so, over restarts", async () => {
    let repository = await publisher.ready("1.0.0", "1.1.0");
    await only(repository, "1.1.0");
    expect(await repository.sweep(KEPT, publisher.now)).toEqual([]);
    repository = await publisher.open();
    expect(await repository.sweep(KEPT, publisher.now + KEPT - 1)).toEqual([]);
    expect(await bundles()).toBe(2);
    const [gone, ...more] = await repository.sweep(KEPT, publisher.now + KEPT);
    expect(gone).toContain(publisher.bundle("1.0.0").sha256);
    expect(more).toEqual([]);
    expect(await bundles()).toBe(1);
  });

  it("is counted anew when it was named again in between", async () => {
    const repository = await publisher.ready("1.0.0", "1.1.0");
    const both = publisher.targets;
    await only(repository, "1.1.0");
    await repository.sweep(KEPT, publisher.now);
    if (both === null || publisher.targets === null) throw new Error("nothing is published");
    const signed = { ...both.signed, version: publisher.targets.signed.version + 1 };
    publisher.targets = signMetadata(signed, [publisher.signers.targets]);
    must(await repository.publish(publisher.targets, signed.version - 1));
    await repository.sweep(KEPT, publisher.now + KEPT);
    await only(repository, "1.1.0");
    await repository.sweep(KEPT, publisher.now + KEPT);
    expect(await repository.sweep(KEPT, publisher.now + KEPT + DAY)).toEqual([]);
    expect(await bundles()).toBe(2);
  });

  it("stays when nobody knows what is released", async () => {
    await publisher.ready("1.0.0");
    for (const name of await readdir(at("metadata"))) await rm(at("metadata", name));
    const repository = await publisher.open();
    await repository.sweep(KEPT, publisher.now);
    expect(await repository.sweep(KEPT, publisher.now + 2 * KEPT)).toEqual([]);
    expect(await bundles()).toBe(1);
  });
});

describe("what was uploaded", () => {
  it("is left alone while it comes in, and swept when it is a day old", async () => {
    const repository = await publisher.open();
    const now = Date.now();
    await writeFile(at("uploads", ".part-coming-in"), "");
    await writeFile(at("uploads", ".part-left"), "");
    await utimes(at("uploads", ".part-left"), 1, 1);
    expect(await repository.sweep(KEPT, now)).toEqual([".part-left"]);
    expect(await readdir(at("uploads"))).toEqual([".part-coming-in"]);
  });
});

describe("a bundle that is named, and not there", () => {
  it("can be published again with the same metadata's successor", async () => {
    const repository = await publisher.ready("1.0.0");
    await rm(at("targets"), { recursive: true });
    const before = publisher.targets;
    if (before === null) throw new Error("nothing is published");
    const { version } = before.signed;
    const successor = (above: number) =>
      signMetadata({ ...before.signed, version: version + above }, [publisher.signers.targets]);
    // It hinders nothing else from being published, and stays missing.
    must(await repository.publish(successor(1), version));
    expect(await repository.missingBundles()).toHaveLength(1);
    await publisher.upload(repository, "1.0.0");
    must(await repository.publish(successor(2), version + 1));
    expect(await repository.missingBundles()).toEqual([]);
    expect(await bundles()).toBe(1);
  });
});
