/**
 * An in-flight lease that was returned by proof: its node must have ended that swap durably, so that no crash brings
 * it back into it. This is what makes the next commit safe. And both links are as that end has them, for good.
 */
import { Journal, type Swap } from "../../../agent/core/journal.ts";
import { parseJson } from "../../../protocol/parse.ts";
import { type NodeMachine, ROOT } from "../node.ts";
import type { Entry } from "./ledger.ts";
import { Violation } from "./violation.ts";

/** `swap`: the one under this token, if it has changed anything. */
export function requireEnded(
  node: NodeMachine,
  { token, group, isOld }: Entry,
  swap: Swap | undefined,
): void {
  const { tree } = node.disk;
  const path = `${ROOT}/state/journal.json`;
  const text = tree.durableText(path);
  const journal = text === null ? null : parseJson(Journal, text, "journal.json");
  const wrong = (why: string) =>
    new Violation("returned-by-proof", `Token ${token} of ${group} was returned, and ${node.name} ${why}.`);
  if (journal === null || !journal.ok) throw wrong("has no journal that would outlive a power cut");
  const { phase } = journal.value;
  if (phase.kind === "committing" && phase.token === token)
    throw wrong("is still committing by its durable journal");
  if ((phase.kind === "swapping" || phase.kind === "confirmed") && phase.swap.token === token)
    throw wrong(`is still ${phase.kind} by its durable journal`);
  const trial = tree.durableText(`${ROOT}/state/trial/swap`);
  if (trial !== null && (JSON.parse(trial) as { token: number }).token === token)
    throw wrong("has still its trial on the disk");
  // Another swap may have followed before what a restore forgot is learned again.
  if (isOld) return;
  if (tree.isUnsure(`${ROOT}/dist`) || tree.isUnsure(`${ROOT}/dist.bak`))
    throw wrong("has links that a power cut could still set back");
  if (swap === undefined) return;
  const [dist, backup] = [linkAt(node, "dist"), linkAt(node, "dist.bak")];
  const belongs = dist === swap.to.link ? swap.from.link : (swap.previousBackup?.link ?? null);
  if (backup !== belongs) throw wrong(`has ${backup} as dist.bak, where ${belongs} belongs`);
}

function linkAt({ disk }: NodeMachine, name: "dist" | "dist.bak"): string | null {
  const there = disk.tree.find(`${ROOT}/${name}`, false);
  return there?.kind === "link" ? there.target : null;
}
