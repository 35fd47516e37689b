/**
 * What holds on every machine's disk, looked at after each effect that could change it: `dist` and `dist.bak` name
 * complete builds, no flip without a lease that is in flight or broken, none to a build that is quarantined or too old.
 */
import type { Journal } from "../../../agent/core/journal.ts";
import { belowFloor } from "../../../protocol/trust.ts";
import { liesWhole } from "../builds.ts";
import { type NodeMachine, ROOT } from "../node.ts";
import type { Ledger } from "./ledger.ts";
import { Violation } from "./violation.ts";

export type MachineRules = {
  /** Something on the disk has changed. */
  changed(node: NodeMachine, effect: string, path: string): void;
};

export function machineRules(ledger: Ledger, removed: ReadonlySet<string>): MachineRules {
  const names = new Map<string, string>();

  const flipped = (node: NodeMachine, from: string, to: string): void => {
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
    if (to !== swap.to.link) return;
    if (node.disk.tree.find(`${ROOT}/state/quarantine/${swap.to.build.buildHash}`, false) !== null)
      throw new Violation("no-quarantined", `${node.name} flipped to ${to}, which is quarantined.`);
    const floor = readJson<{ minVersion: string }>(node, "state/floor.json")?.minVersion ?? null;
    if (belowFloor(swap.to.build.version, floor))
      throw new Violation("floor", `${node.name} flipped to ${to}, which is below ${floor}.`);
  };

  const look = (node: NodeMachine, link: "dist" | "dist.bak"): void => {
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
    if (before !== undefined && before !== target) flipped(node, before, target);
  };

  return {
    changed: (node, effect, path) => {
      const isLink = path === `${ROOT}/dist` || path === `${ROOT}/dist.bak`;
      const removes =
        (effect === "rm" || effect === "unlink" || effect === "rename") &&
        path.startsWith(`${ROOT}/releases/`);
      if (!isLink && !removes && effect !== "power") return;
      look(node, "dist");
      look(node, "dist.bak");
    },
  };
}

/** The swap that a machine is in the middle of, by its journal or, where that is gone by, its trial. */
function swapOf(node: NodeMachine) {
  const phase = readJson<Journal>(node, "state/journal.json")?.phase;
  if (phase?.kind === "swapping" || phase?.kind === "confirmed") return phase.swap;
  return readJson<NonNullable<typeof phase> extends infer P ? Extract<P, { swap: unknown }>["swap"] : never>(
    node,
    "state/trial/swap",
  );
}

function readJson<T>(node: NodeMachine, path: string): T | null {
  const file = node.disk.tree.find(`${ROOT}/${path}`, false);
  if (file?.kind !== "file") return null;
  return JSON.parse(file.content.toString("utf8")) as T;
}
