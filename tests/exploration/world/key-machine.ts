/** The part of a world's text that is the machine of one process (`key.ts`). */

import type { UpdateState } from "../../../agent/core/machine/state.ts";
import type { Machine } from "../../../agent/core/machine/transition.ts";
import { journalText, quarantineText, swapText } from "./key-disk.ts";
import type { Naming } from "./naming.ts";
import { age, left } from "./time.ts";
import type { StateDir } from "./world.ts";

export function machineText(
  { facts, update }: Machine,
  disk: StateDir,
  names: Naming,
  uptime: number,
): string {
  const { session, orders, journal, backup, quarantine, health, outcome, writing, stopping, self } = facts;
  const wants = `${orders.desired === null ? "" : "d"}${orders.turn === null ? "" : "t"}`;
  const flags = `${health.healthy ? "h" : ""}${health.role ?? ""}${writing === null ? "" : "w"}${stopping ? "s" : ""}`;
  const over = outcome === null ? "" : outcome.result.charAt(0);
  // What is known of the disk is what is on it, unless somebody else has changed that.
  const known = journal === disk.journal ? "" : journalText(journal, names);
  const barred = quarantine === disk.quarantine ? "" : quarantineText(quarantine, names);
  const dist = `${names.build(self.dist)}${names.hash(self.running.buildHash)}`;
  return `${names.session(session)}${wants}${flags}${over}${known}${barred}${names.build(backup)}${dist}:${updateText(update, names, uptime)}`;
}

function updateText(update: UpdateState, names: Naming, uptime: number): string {
  const due = (at: number | null): string => (at === null ? "-" : String(left(at, uptime)));
  switch (update.kind) {
    case "idle":
      return `idle${update.backoff === null ? "" : due(update.backoff.until)}`;
    case "preparing":
      return `prep${update.step}`;
    case "prepared":
      return `ready${rounds(update)}${update.denied === null ? "" : due(update.denied.until)}`;
    case "reserving":
      return `res${rounds(update)}@${age(update.sentAt, uptime, 60_000)}`;
    case "handing-over": {
      const { renewal } = update;
      const renews = renewal === null ? "" : `r${age(renewal.sentAt, uptime, 60_000)}`;
      return `hand${rounds(update)}${names.token(update.token)}${due(update.renewAt)},${due(update.reservedUntil)}${renews}`;
    }
    case "committing": {
      const { token, step, retryAt, settleBy, sentAt, round } = update;
      return `com${rounds(update)}${names.token(token)}${step}${due(retryAt)},${due(settleBy)},${age(sentAt, uptime, 120_000)}#${round}`;
    }
    case "draining":
      return `dra${rounds(update)}${names.token(update.token)}${due(update.actBy)}#${update.round}`;
    case "resuming": {
      const { work, token, step, retryAt, after, swap } = update;
      const tried = work === null ? "-" : rounds({ work });
      const from = swap === null ? "" : swapText(swap, names);
      return `resu${tried}${names.token(token)}${step}${due(retryAt)}${after.kind}${after.failed ? "f" : ""}${after.round}${from}`;
    }
    case "swapping":
      return `swap${rounds(update)}${swapText(update.swap, names)}${update.step}${due(update.actBy)}`;
    case "probation": {
      const { swap, deadline, patient, reached, late } = update;
      return `prob${swapText(swap, names)}${due(deadline)}${patient ? "p" : ""}${reached ? "r" : ""}${late ? "l" : ""}`;
    }
    case "confirming":
      return `conf${swapText(update.swap, names)}${update.step}${due(update.retryAt)}`;
    case "going-back": {
      const { swap, step, retryAt, provisional } = update;
      return `back${swapText(swap, names)}${step}${due(retryAt)}${provisional ? "p" : ""}`;
    }
    case "exiting":
      return `exit${update.code}`;
  }
}

/** Whether it has had a lease before: a poke then does not end its wait. */
const rounds = ({ work }: { readonly work: { readonly rounds: number } }): string =>
  work.rounds > 0 ? "+" : "";
