/** The part of a world's text that is what lies on one node's disk (`key.ts`). */
import type { Journal, Swap } from "../../../agent/core/journal.ts";
import type { QuarantineEntry } from "../../../protocol/journal.ts";
import type { Naming } from "./naming.ts";
import { AGENT_POLICY, left } from "./time.ts";
import type { StateDir } from "./world.ts";

export function diskText(
  { journal, dist, backup, trial, quarantine, verdict }: StateDir,
  names: Naming,
  uptime: number,
): string {
  const text = `${journalText(journal, names)}${names.build(dist)}${names.build(backup)}${quarantineText(quarantine, names)}`;
  const said =
    verdict === null ? "" : `V${names.token(verdict.token)}${verdict.provisional ? "p" : ""}${verdict.by}`;
  if (trial === null) return text + said;
  const flags = `${trial.hasBack ? "b" : ""}${trial.entry === null ? "" : "e"}${trial.verdict === null ? "" : "v"}${trial.ready ? "r" : ""}${trial.stopRequested ? "s" : ""}${trial.unhurried ? "u" : ""}`;
  return `${text}${said}T${swapText(trial.swap, names)}${trial.tries}${trial.refunds}${flags}@${left(trial.since + AGENT_POLICY.probationMs, uptime)}`;
}

export function journalText(
  { phase, finalWords, lastToken, hold, endedJob }: Journal,
  names: Naming,
): string {
  let text: string = phase.kind.slice(0, 2);
  if (phase.kind === "committing") text += names.token(phase.token);
  if (phase.kind === "swapping" || phase.kind === "confirmed") text += swapText(phase.swap, names);
  for (const { word, token } of finalWords) text += `${word.charAt(0)}${names.token(token)}`;
  return `${text}<${names.upTo(lastToken)}${hold ? "h" : ""}${endedJob === null ? "" : "E"}`;
}

export const swapText = (swap: Swap, names: Naming): string =>
  `(${names.token(swap.token)}${names.process(swap.instanceId)}${names.build(swap.from)}${names.build(swap.to)}${names.build(swap.previousBackup)}${swap.connected ? "c" : ""})`;

export const quarantineText = (entries: readonly QuarantineEntry[], names: Naming): string =>
  entries.map((entry) => `q${names.hash(entry.build.buildHash)}${entry.provisional ? "p" : ""}`).join("");
