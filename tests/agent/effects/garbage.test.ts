import { mkdir, readdir, rm, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Disk, realDisk } from "../../../agent/effects/disk.ts";
import { lookAtFloor, raiseFloor, readFloor } from "../../../agent/effects/floor.ts";
import { collectGarbage } from "../../../agent/effects/garbage.ts";
import { makeLayout } from "../../../agent/effects/recover.ts";
import { releaseName } from "../../../protocol/build.ts";
import { makeTemplate, NodeRig, type Template } from "../node-rig.ts";

let template: Template;
let rig: NodeRig;
beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => rm(template.dir, { recursive: true }));
beforeEach(async () => {
  rig = await NodeRig.make(template);
  await makeLayout(realDisk, rig.layout);
});
afterEach(() => rig.remove());

const nameOf = (which: "z" | "a" | "b") => releaseName(template[which].build);

describe("garbage", () => {
  it("is every release that neither dist nor dist.bak names, and what was being unpacked", async () => {
    await mkdir(join(rig.layout.releases, ".prepare-1", "deep"), { recursive: true });
    await mkdir(rig.layout.trialNew);
    await writeFile(join(rig.layout.state, ".kit.tar"), "half of a kit");
    expect(await collectGarbage(realDisk, rig.layout, { releases: false })).toEqual([".prepare-1"]);
    expect(await collectGarbage(realDisk, rig.layout, { releases: true })).toEqual([nameOf("b")]);
    expect((await readdir(rig.layout.releases)).sort()).toEqual([nameOf("z"), nameOf("a")].sort());
    const left = await readdir(rig.layout.state);
    expect(left.filter((name) => [".trial-new", ".kit.tar"].includes(name))).toEqual([]);
  });

  it("loses its seal first", async () => {
    const removed: string[] = [];
    const disk: Disk = {
      ...realDisk,
      unlink: (path) => {
        removed.push(path);
        return realDisk.unlink(path);
      },
      rm: (path) => {
        removed.push(path);
        return realDisk.rm(path);
      },
    };
    await collectGarbage(disk, rig.layout, { releases: true });
    const release = join(rig.layout.releases, nameOf("b"));
    const [first, second] = removed.filter((path) => path.startsWith(release));
    expect([first, second]).toEqual([join(release, ".complete"), release]);
  });

  it("is no release at all when nobody knows what is in use", async () => {
    await unlink(rig.layout.dist);
    expect(await collectGarbage(realDisk, rig.layout, { releases: true })).toEqual([]);
  });

  it("leaves the newest download that was cut off, to be resumed", async () => {
    const part = (digit: string) => join(rig.layout.download, `${digit.repeat(64)}.part`);
    for (const digit of ["1", "2", "3"]) await writeFile(part(digit), "");
    await utimes(part("2"), 2_000_000_000, 2_000_000_000);
    await writeFile(join(rig.layout.download, "stray"), "");
    await collectGarbage(realDisk, rig.layout, { releases: false });
    expect(await readdir(rig.layout.download)).toEqual([`${"2".repeat(64)}.part`]);
  });

  // Found by the crash points: what a download had left when it was killed stayed until the next one.
  it("is every download when an update has ended", async () => {
    await writeFile(join(rig.layout.download, `${"1".repeat(64)}.part`), "");
    await collectGarbage(realDisk, rig.layout, { releases: true });
    expect(await readdir(rig.layout.download)).toEqual([]);
  });
});

describe("the floor", () => {
  it("rises and never falls", async () => {
    expect(await readFloor(realDisk, rig.layout, "1.0.0")).toBeNull();
    await raiseFloor(realDisk, rig.layout, "1.2.0");
    await raiseFloor(realDisk, rig.layout, "1.1.0");
    expect(await readFloor(realDisk, rig.layout, "1.0.0")).toBe("1.2.0");
    await raiseFloor(realDisk, rig.layout, "1.10.0");
    expect(await readFloor(realDisk, rig.layout, "1.0.0")).toBe("1.10.0");
  });

  it("is what runs when it cannot be read, until it is raised anew", async () => {
    await writeFile(rig.layout.floor, '{"format":2,"minVersion":"9.0.0"}');
    expect((await lookAtFloor(realDisk, rig.layout)).kind).toBe("unreadable");
    expect(await readFloor(realDisk, rig.layout, "1.0.0")).toBe("1.0.0");
    await raiseFloor(realDisk, rig.layout, "0.5.0");
    expect(await readFloor(realDisk, rig.layout, "1.0.0")).toBe("0.5.0");
  });
});
