/** What going back rests on: the flips, the trial, the quarantine and the verdict, with the real guard beside them. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Placed, Swap } from "../../../agent/core/journal.ts";
import type { PreparedBuild } from "../../../agent/core/ports.ts";
import { realDisk } from "../../../agent/effects/disk.ts";
import { flip, flipBack, restoreBackup } from "../../../agent/effects/flip.ts";
import { liftQuarantine, quarantine, readQuarantine } from "../../../agent/effects/quarantine.ts";
import { makeLayout } from "../../../agent/effects/recover.ts";
import {
  discardTrial,
  readTrial,
  removeTrial,
  suspendDeadline,
  writeTrial,
} from "../../../agent/effects/trial.ts";
import { leaveVerdict, readVerdict } from "../../../agent/effects/verdict.ts";
import { releaseName } from "../../../protocol/build.ts";
import { makeTemplate, NodeRig, type Template } from "../node-rig.ts";
import { fullDisk } from "./full-disk.ts";

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

const placed = ({ build }: PreparedBuild): Placed => ({ build, link: `releases/${releaseName(build)}` });

const swapOf = (): Swap => ({
  jobId: "j-000000000001",
  kind: "update",
  token: 7,
  instanceId: "00000000-0000-4000-8000-000000000001",
  from: placed(template.a),
  to: placed(template.b),
  previousBackup: placed(template.z),
  minVersion: null,
  connected: true,
});
const reason = { code: "not-confirmed", message: "It used up its starts." };
const TERMS = { tries: 2, refunds: 1, budgetMs: 90_000, bootId: "boot-1" };

async function makeTrial(): Promise<Swap> {
  const swap = swapOf();
  const entry = { build: swap.to.build, reason, provisional: false, by: "guard" } as const;
  const verdict = { token: 7, jobId: swap.jobId, by: "guard", reason, provisional: false } as const;
  await writeTrial(realDisk, rig.layout, { ...TERMS, swap, quarantine: entry, verdict, since: 1_234, at: 5 });
  return swap;
}

const dist = () => readlinkSync(rig.layout.dist);
const never = () => false;

describe("the flips", () => {
  it("sets dist.bak and then dist", async () => {
    expect(await flip(realDisk, rig.layout, swapOf(), never)).toBe("flipped");
    expect([dist(), rig.backup]).toEqual([placed(template.b).link, placed(template.a).link]);
  });

  it("touches nothing when it is too late, and not dist when it becomes so in between", async () => {
    expect(await flip(realDisk, rig.layout, swapOf(), () => true)).toBe("too-late");
    expect(rig.backup).toBe(placed(template.z).link);
    let asked = 0;
    expect(await flip(realDisk, rig.layout, swapOf(), () => ++asked > 1)).toBe("too-late");
    expect(dist()).toBe(placed(template.a).link);
  });

  it("refuses a release that is not complete, and a dist that somebody else has changed", async () => {
    await unlink(join(rig.dir, placed(template.b).link, ".complete"));
    await expect(flip(realDisk, rig.layout, swapOf(), never)).rejects.toMatchObject({
      fault: { code: "release-incomplete" },
    });
    const changed = { ...swapOf(), from: placed(template.z), to: placed(template.a) };
    await expect(flip(realDisk, rig.layout, changed, never)).rejects.toMatchObject({
      fault: { code: "dist-changed" },
    });
    expect([dist(), rig.backup]).toEqual([placed(template.a).link, placed(template.z).link]);
  });

  it("changes nothing on a full disk", async () => {
    await expect(flip(fullDisk, rig.layout, swapOf(), never)).rejects.toMatchObject({ code: "ENOSPC" });
    expect([dist(), rig.backup]).toEqual([placed(template.a).link, placed(template.z).link]);
  });

  it("goes back on a full disk, by the link that lies ready", async () => {
    const swap = await makeTrial();
    await flip(realDisk, rig.layout, swap, never);
    await flipBack(fullDisk, rig.layout, swap);
    expect(dist()).toBe(swap.from.link);
    await flipBack(fullDisk, rig.layout, swap);
    expect(await readTrial(realDisk, rig.layout, TERMS)).toMatchObject({ value: { hasBack: false } });
  });

  it("restores dist.bak, or that there was none", async () => {
    await flip(realDisk, rig.layout, swapOf(), never);
    await restoreBackup(realDisk, rig.layout, placed(template.z));
    expect(rig.backup).toBe(placed(template.z).link);
    await restoreBackup(realDisk, rig.layout, null);
    expect(rig.backup).toBeNull();
  });
});

describe("the trial", () => {
  it("is what the guard reads, whole at once", async () => {
    const swap = await makeTrial();
    const read = (name: string) => readFileSync(join(rig.layout.trial, name), "utf8");
    expect(readdirSync(rig.layout.trial)).toEqual([
      "back",
      "boot-id",
      "budget-ms",
      "format",
      "from",
      "quarantine",
      "refunds",
      "since",
      "swap",
      "to",
      "to-hash",
      "tries",
      "verdict",
    ]);
    expect(read("format")).toBe("1\n");
    expect([read("to"), read("from")]).toEqual([`${swap.to.link}\n`, `${swap.from.link}\n`]);
    expect(readlinkSync(join(rig.layout.trial, "back"))).toBe(swap.from.link);
    expect(readdirSync(join(rig.layout.trial, "tries"))).toEqual(["1", "2"]);
    expect(readdirSync(rig.layout.state)).not.toContain(".trial-new");
  });

  it("lets the guard count the starts and go back, and tells it afterwards", async () => {
    const swap = await makeTrial();
    await flip(realDisk, rig.layout, swap, never);
    rig.runGuard();
    rig.runGuard();
    expect(dist()).toBe(swap.to.link);
    rig.runGuard();
    expect(dist()).toBe(swap.from.link);
    expect(await readQuarantine(realDisk, rig.layout)).toMatchObject([
      { build: swap.to.build, by: "guard", at: 5 },
    ]);
    expect(await readVerdict(realDisk, rig.layout)).toMatchObject({ value: { token: 7, by: "guard" } });
    expect(await readTrial(realDisk, rig.layout, TERMS)).toEqual({
      kind: "found",
      value: {
        to: swap.to.link,
        from: swap.from.link,
        hasBack: false,
        swap,
        since: 1_234,
        thisBoot: true,
        wasStopped: false,
      },
    });
  });

  it("decides a race with the guard by its removal", async () => {
    const swap = await makeTrial();
    await flip(realDisk, rig.layout, swap, never);
    expect(await removeTrial(realDisk, rig.layout, swap)).toBe("removed");
    expect(await removeTrial(realDisk, rig.layout, swap)).toBe("removed");
    await flipBack(realDisk, rig.layout, swap);
    expect(await removeTrial(realDisk, rig.layout, swap)).toBe("guard-was-faster");
  });

  it("makes way for the next, whatever was left", async () => {
    await makeTrial();
    await mkdir(rig.layout.trialNew);
    // The guard leaves a verdict in place that is there already.
    await writeFile(rig.layout.verdict, "of an earlier swap");
    await makeTrial();
    expect(await readVerdict(realDisk, rig.layout)).toEqual({ kind: "missing" });
    await discardTrial(realDisk, rig.layout);
    expect(readdirSync(rig.layout.state).filter((name) => name.includes("trial"))).toEqual([]);
    await discardTrial(realDisk, rig.layout);
  });

  it.each([
    ["of another format", (trial: string) => writeFile(join(trial, "format"), "2\n")],
    ["that does not say to what", (trial: string) => rm(join(trial, "to"))],
    ["without a format", (trial: string) => rm(join(trial, "format"))],
  ])("%s is unreadable", async (_name, damage) => {
    await makeTrial();
    await damage(rig.layout.trial);
    expect(await readTrial(realDisk, rig.layout, TERMS)).toMatchObject({ kind: "unreadable" });
  });

  it("that is not a directory is unreadable, and none is missing", async () => {
    expect(await readTrial(realDisk, rig.layout, TERMS)).toEqual({ kind: "missing" });
    await writeFile(rig.layout.trial, "");
    expect(await readTrial(realDisk, rig.layout, TERMS)).toMatchObject({ kind: "unreadable" });
    await discardTrial(realDisk, rig.layout);
    expect(existsSync(rig.layout.trial)).toBe(false);
  });

  it("keeps what is left of a torn one", async () => {
    await makeTrial();
    await writeFile(join(rig.layout.trial, "swap"), '{"jobId":');
    await writeFile(join(rig.layout.trial, "since"), "");
    await writeFile(join(rig.layout.trial, "boot-id"), "boot-2\n");
    await rm(join(rig.layout.trial, "refunds", "1"));
    expect(await readTrial(realDisk, rig.layout, TERMS)).toMatchObject({
      value: { swap: null, since: null, thisBoot: false, wasStopped: true, hasBack: true },
    });
  });

  it("can tell the guard to wait", async () => {
    const swap = await makeTrial();
    await flip(realDisk, rig.layout, swap, never);
    await suspendDeadline(realDisk, rig.layout);
    const text = execFileSync("cat", [join(rig.layout.trial, "budget-ms")], { encoding: "utf8" });
    expect(Number(text)).toBeGreaterThan(10 * 86_400_000);
  });
});

describe("quarantine and verdict", () => {
  const entry = () => ({ build: template.b.build, reason, provisional: true, by: "agent" }) as const;

  it("writes, reads, replaces and lifts", async () => {
    await quarantine(realDisk, rig.layout, entry(), 11);
    await quarantine(realDisk, rig.layout, { ...entry(), provisional: false }, 12);
    expect(await readQuarantine(realDisk, rig.layout)).toEqual([{ ...entry(), provisional: false, at: 12 }]);
    await liftQuarantine(realDisk, rig.layout, template.b.build.buildHash);
    await liftQuarantine(realDisk, rig.layout, template.b.build.buildHash);
    expect(await readQuarantine(realDisk, rig.layout)).toEqual([]);
  });

  it("counts an entry that is torn, and one that is a lie", async () => {
    await writeFile(join(rig.layout.quarantine, template.b.build.buildHash), '{"build"');
    await writeFile(join(rig.layout.quarantine, "e".repeat(64)), JSON.stringify({ ...entry(), at: 1 }));
    await symlink("/etc/passwd", join(rig.layout.quarantine, "not-a-hash"));
    const read = await readQuarantine(realDisk, rig.layout);
    expect(read.map(({ build, reason: why }) => [build.version, why.code])).toEqual([
      ["1.1.0", "unreadable"],
      ["0.0.0-unknown", "unreadable"],
    ]);
  });

  it("moves the ready ones into place on a full disk", async () => {
    const swap = await makeTrial();
    await quarantine(fullDisk, rig.layout, entry(), 11);
    await leaveVerdict(fullDisk, rig.layout, {
      token: 7,
      jobId: swap.jobId,
      by: "agent",
      reason,
      provisional: true,
    });
    expect(await readQuarantine(realDisk, rig.layout)).toMatchObject([{ by: "guard", build: swap.to.build }]);
    expect(await readVerdict(realDisk, rig.layout)).toMatchObject({ value: { by: "guard", token: 7 } });
    // Once more: the entry is there, which is all that counts.
    await quarantine(fullDisk, rig.layout, entry(), 12);
  });

  it("does not take the ready entry of another build", async () => {
    await makeTrial();
    const other = { ...entry(), build: template.z.build };
    await expect(quarantine(fullDisk, rig.layout, other, 1)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readQuarantine(realDisk, rig.layout)).toEqual([]);
  });
});
