/**
 * What holds on every machine's disk, looked at after each effect that could change it: `dist` and `dist.bak` name
 * complete builds, no flip without a lease that is in flight or broken, none to a build that is quarantined or too old,
 * none after its time, and none back before the build is quarantined for good.
 */
import type { Journal, Swap } from "../../../agent/core/journal.ts";
import { belowFloor } from "../../../protocol/trust.ts";
import { liesWhole } from "../builds.ts";
import { type NodeMachine, ROOT } from "../node.ts";
import type { InTime } from "./in-time.ts";
import type { Ledger } from "./ledger.ts";
import { Violation } from "./violation.ts";

export type MachineRules = {
  /** Something on the disk has changed. */
  changed(node: NodeMachine, effect: string, path: string): void;
  /** The swap under a token that has changed anything. */
  swapUnder(group: string, token: number): Swap | undefined;
};

export function machineRules(ledger: Ledger, removed: ReadonlySet<string>, inTime: InTime): MachineRules {
  const names = new Map<string, string>();
  const swaps = new Map<string, Swap>();

  const flipped = (node: NodeMachine, from: string, to: string, effect: string): void => {
    const swap = swapOf(node);
    if (swap === null)
      throw new Violation("flip-by-lease", `${node.name} flipped from ${from} to ${to} for no swap.`);
    const entry = ledger.entry(node.group, swap.token);
    const isDown = entry?.phase === "in-flight" || entry?.phase === "broken";
    if (!isDown && !removed.has(node.nodeId)) {
      const phase = entry === undefined ? "was never given" : `is ${entry.phase}`;
      throw new Violation(
        "flip-by-lease",
        `${node.name} flipped from ${from} to ${to}, and its token ${swap.token} ${phase}.`,
      );
    }
    // What was not made to last goes either way when the power fails.
    if (effect === "power") return;
    const entryPath = `${ROOT}/state/quarantine/${swap.to.build.buildHash}`;
    // A disk that takes nothing keeps nobody on a bad build.
    if (to === swap.from.link && node.disk.trouble === null && node.disk.tree.durableText(entryPath) === null)
      throw new Violation(
        "quarantine-first",
        `${node.name} went back from ${from}, which is not quarantined.`,
      );
    if (to !== swap.to.link) return;
    inTime.flips(node, swap.token);
    if (node.disk.tree.find(entryPath, false) !== null)
      throw new Violation("no-quarantined", `${node.name} flipped to ${to}, which is quarantined.`);
    const floor = readJson<{ minVersion: string }>(node, "state/floor.json")?.minVersion ?? null;
    if (belowFloor(swap.to.build.version, floor))
      throw new Violation("floor", `${node.name} flipped to ${to}, which is below ${floor}.`);
  };

  const look = (node: NodeMachine, link: "dist" | "dist.bak", effect: string): void => {
    const { tree } = node.disk;
    const there = tree.find(`${ROOT}/${link}`, false);
    if (there === null && link === "dist.bak") return;
    const target = there?.kind === "link" ? there.target : null;
    const build = target === null ? undefined : node.parts.builds.named(target);
    if (target === null || build === undefined || !liesWhole(tree, `${ROOT}/${target}`, build))
      throw new Violation(
        "dist-complete",
        `${link} of ${node.name} names ${target ?? "nothing"}, which is not complete.`,
      );
    if (link === "dist.bak") return;
    const before = names.get(node.name);
    names.set(node.name, target);
    if (before !== undefined && before !== target) flipped(node, before, target, effect);
  };

  return {
    swapUnder: (group, token) => swaps.get(`${group} ${token}`),
    changed: (node, effect, path) => {
      inTime.changed(node, effect, path);
      const isLink = path === `${ROOT}/dist` || path === `${ROOT}/dist.bak`;
      const removes =
        (effect === "rm" || effect === "unlink" || effect === "rename") &&
        path.startsWith(`${ROOT}/releases/`);
      if (!isLink && !removes && effect !== "power") return;
      const swap = isLink ? swapOf(node) : null;
      if (swap !== null) swaps.set(`${node.group} ${swap.token}`, swap);
      look(node, "dist", effect);
      look(node, "dist.bak", effect);
    },
  };
}

/** The swap that a machine is in the middle of, by its journal or, where that is gone by, its trial. */
export function swapOf(node: NodeMachine): Swap | null {
  const phase = readJson<Journal>(node, "state/journal.json")?.phase;
  if (phase?.kind === "swapping" || phase?.kind === "confirmed") return phase.swap;
  return readJson<Swap>(node, "state/trial/swap");
}

function readJson<T>(node: NodeMachine, path: string): T | null {
  const file = node.disk.tree.find(`${ROOT}/${path}`, false);
  if (file?.kind !== "file") return null;
  return JSON.parse(file.content.toString("utf8")) as T;
}
