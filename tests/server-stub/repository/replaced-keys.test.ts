import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signMetadata } from "../../../protocol/metadata.ts";
import { must, Publisher } from "../../trust/publisher.ts";
import { newSigner } from "../../trust/simulator.ts";

const HOUR = 3_600_000;

let publisher: Publisher;
beforeEach(async () => {
  publisher = await Publisher.make();
});
afterEach(() => publisher.remove());

describe("replaced keys", () => {
  it.each(["root", "targets", "snapshot", "timestamp", "both online"] as const)(
    "%s: old nodes follow, new nodes join, and publishing goes on",
    async (role) => {
      const repository = await publisher.ready("1.0.0");
      const old = await publisher.node();
      await old.refreshed();
      must(await repository.installTrust([await publisher.rotate(role)]));
      expect((await old.refreshed()).versions.root).toBe(2);
      publisher.now += HOUR;
      must(await publisher.publish(repository, "1.1.0"));
      expect(await old.releases()).toEqual(["1.0.0", "1.1.0"]);
      expect(await (await publisher.node()).releases()).toEqual(["1.0.0", "1.1.0"]);
    },
  );

  it("may be installed again, and several at once", async () => {
    const repository = await publisher.ready("1.0.0");
    const first = publisher.root;
    const two = await publisher.rotate("root");
    const three = await publisher.rotate("timestamp");
    if (first === null) throw new Error("no root");
    must(await repository.installTrust([{ root: first }, two, three]));
    expect(must(await repository.installTrust([{ root: first }, two, three])).version).toBe(3);
    expect(must(await repository.installTrust([two])).version).toBe(3);
    expect((await (await publisher.node()).refreshed()).versions.root).toBe(3);
  });

  it("that would orphan what is published are refused without targets signed anew", async () => {
    const repository = await publisher.ready("1.0.0");
    const { root } = await publisher.rotate("targets");
    expect(await repository.installTrust([{ root }])).toMatchObject({
      error: { code: "root-refused", hint: expect.stringContaining("baton keys rotate targets") },
    });
  });

  it("signed by a stranger, or skipping a version, are refused", async () => {
    const repository = await publisher.ready("1.0.0");
    const update = await publisher.rotate("root");
    const forged = { root: signMetadata(update.root.signed, [newSigner()]) };
    expect(await repository.installTrust([forged])).toMatchObject({ error: { code: "root-refused" } });
    const third = await publisher.rotate("root");
    expect(await repository.installTrust([third])).toMatchObject({ error: { code: "root-refused" } });
    expect(must(await repository.installTrust([update, third])).version).toBe(3);
  });

  it("of a coordinator that was lost: a new one takes over with new keys, and nodes follow", async () => {
    await publisher.ready("1.0.0");
    const old = await publisher.node();
    await old.refreshed();
    const first = publisher.root;
    const targets = publisher.targets;
    if (first === null || targets === null) throw new Error("not ready");
    await rm(join(publisher.dir, "repository"), { recursive: true });
    await rm(publisher.keysDir, { recursive: true });
    const update = await publisher.rotate("both online");
    const fresh = await publisher.open();
    await publisher.upload(fresh, "1.0.0");
    must(await fresh.installTrust([{ root: first }, { ...update, targets }]));
    expect(await old.releases()).toEqual(["1.0.0"]);
  });
});
