/** The guard of the small world (`world/guard.ts`) leaves behind just what the real one does, which is a shell program. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EMPTY_JOURNAL } from "../../agent/core/journal.ts";
import { NodeTree, newBuild, newHash, oldBuild } from "../packaging/node-tree.ts";
import { guardStart, guardStop } from "./world/guard.ts";
import type { StateDir, Trial } from "./world/world.ts";

/** What the guard may find. */
type Case = Pick<Trial, "tries" | "refunds" | "ready" | "stopRequested"> & {
  readonly dist: "to" | "from";
  /** How far going back had come: the quarantine entry is in place, and the verdict. */
  readonly begun: "no" | "condemned" | "judged";
};

const PLAIN: Case = { tries: 1, refunds: 1, ready: false, stopRequested: false, dist: "to", begun: "no" };

const CASES: readonly Case[] = [0, 1].flatMap((tries) =>
  [0, 1].flatMap((refunds) =>
    [true, false].flatMap((stopRequested) =>
      (["no", "condemned", "judged"] as const).map((begun) => ({
        ...PLAIN,
        tries,
        refunds,
        stopRequested,
        begun,
      })),
    ),
  ),
);

describe("the small world's guard", () => {
  it.each([...CASES, { ...PLAIN, ready: true }, { ...PLAIN, tries: 0, dist: "from" as const }])(
    "starts as the real one does: tries $tries, refunds $refunds, stopped $stopRequested, back $begun, dist $dist",
    async (given) => {
      using tree = onDisk(given);
      expect((await tree.guard("start")).status).toBe(0);
      const before = inWorld(given);
      expect(seenOn(tree)).toEqual(seenIn(guardStart(before).at(-1) ?? before));
    },
  );

  it.each([true, false])("stops as the real one does (ready: %s)", async (ready) => {
    const given = { ...PLAIN, ready };
    using tree = onDisk(given);
    await tree.guard("stop", { env: { MAINPID: "4711" } });
    expect(seenOn(tree)).toEqual(seenIn(guardStop(inWorld(given))));
  });
});

function onDisk({ tries, refunds, ready, stopRequested, dist, begun }: Case): NodeTree {
  const tree = new NodeTree().onProbation({ tries, refunds });
  if (ready) tree.writeTrial("ready", "");
  if (stopRequested) tree.writeTrial("stop-requested", "");
  if (begun !== "no") writeFileSync(join(tree.state, "state/quarantine", newHash), '{"by":"agent"}');
  if (begun === "judged") writeFileSync(join(tree.state, "state/verdict"), '{"by":"agent"}');
  if (dist === "from") tree.pointDist(oldBuild);
  return tree;
}

function inWorld({ tries, refunds, ready, stopRequested, dist, begun }: Case): StateDir {
  const reason = { code: "not-confirmed", message: "It was not confirmed." };
  const from = { build: { version: "1.0.0", buildHash: "a".repeat(64) }, link: oldBuild };
  const to = { build: { version: "1.1.0", buildHash: newHash }, link: newBuild };
  const entry = { build: to.build, reason, provisional: false, by: "agent" } as const;
  const verdict = { token: 1, jobId: "j-000000000001", by: "agent", reason, provisional: false } as const;
  return {
    journal: EMPTY_JOURNAL,
    dist: dist === "to" ? to : from,
    backup: from,
    trial: {
      swap: {
        jobId: verdict.jobId,
        kind: "update",
        token: 1,
        instanceId: "i1",
        from,
        to,
        previousBackup: null,
        minVersion: null,
        connected: true,
      },
      since: 0,
      tries,
      refunds,
      hasBack: true,
      entry,
      verdict,
      ready,
      stopRequested,
      unhurried: false,
    },
    quarantine: begun === "no" ? [] : [{ ...entry, at: 0 }],
    verdict: begun === "judged" ? verdict : null,
  };
}

const seenOn = (tree: NodeTree) => ({
  dist: tree.dist,
  tries: tree.left("tries"),
  refunds: tree.left("refunds"),
  ready: tree.has("state/trial/ready"),
  stopRequested: tree.has("state/trial/stop-requested"),
  isWayBackReady: readdirSync(tree.trial).includes("back"),
  isEntryReady: tree.has("state/trial/quarantine"),
  isVerdictReady: tree.has("state/trial/verdict"),
  isQuarantined: tree.quarantined,
  isJudged: tree.has("state/verdict"),
});

const seenIn = ({ dist, trial, quarantine, verdict }: StateDir): ReturnType<typeof seenOn> => ({
  dist: dist.link,
  tries: trial?.tries ?? -1,
  refunds: trial?.refunds ?? -1,
  ready: trial?.ready ?? false,
  stopRequested: trial?.stopRequested ?? false,
  isWayBackReady: trial?.hasBack ?? false,
  isEntryReady: trial?.entry != null,
  isVerdictReady: trial?.verdict != null,
  isQuarantined: quarantine.length > 0,
  isJudged: verdict !== null,
});
