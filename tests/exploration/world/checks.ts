/**
 * The invariants of the lease, as they are asked of a step at the moment it is taken. Each looks at the world as it
 * is, in the plainest words, and never asks the code that it checks. Those of a state are in `state-checks.ts`.
 * Source: docs/ARCHITECTURE.md, "The lease"; docs/adr/0004-two-phase-fenced-leases.md.
 */
import type { Swap } from "../../../agent/core/journal.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { LeaseRecord } from "../../../server-stub/core/lease/record.ts";
import type { Settled } from "../../../server-stub/core/lease/settle.ts";
import { HEARTBEAT_MS } from "./time.ts";
import { violated } from "./violation.ts";
import { idOf, type NodeIndex, nameOf, nodeAt, type Process, type StateDir, type World } from "./world.ts";

export const EPOCH = 2 ** 32;
export const epochOf = (token: number): number => Math.floor(token / EPOCH);

/** Of three voters two must serve besides the one that goes down. */
const QUORUM = 2;

/** What a restore forgot had been granted before it: nobody can hold a node to it. */
const isForgotten = ({ hub }: World, token: number): boolean => epochOf(token) < hub.epoch;

const inFlight = ({ hub }: World, at: NodeIndex, token: number): boolean =>
  hub.lease.holders.some(
    (holder) => holder.nodeId === idOf(at) && holder.token === token && holder.phase === "in-flight",
  );

const isBroken = ({ hub }: World, at: NodeIndex, token: number): boolean =>
  hub.lease.broken.some((broken) => broken.nodeId === idOf(at) && broken.token === token);

/**
 * No flip of `dist` without an in-flight lease. Not under a broken one either: it may be broken only once its holder
 * can no longer begin.
 */
export function mustMayFlipForth(world: World, at: NodeIndex, { token }: Swap): void {
  if (!nodeAt(world, at).member || inFlight(world, at, token) || isForgotten(world, token)) return;
  violated("no flip without a lease", `${nameOf(at)} flips under token ${token}, which is not in flight`);
}

/** Back only while the lease is in flight, or broken and still counted as down; and quarantine first. */
export function mustMayFlipBack(world: World, at: NodeIndex, swap: Swap | null, dir: StateDir): void {
  if (swap === null || !nodeAt(world, at).member) return;
  if (!dir.quarantine.some(({ build }) => build.buildHash === swap.to.build.buildHash)) {
    violated("quarantine before going back", `${nameOf(at)} flips back and has not quarantined the build`);
  }
  const { token } = swap;
  if (inFlight(world, at, token) || isBroken(world, at, token) || isForgotten(world, token)) return;
  violated(
    "no flip without a lease",
    `${nameOf(at)} flips back under token ${token}, which came back already`,
  );
}

/** A commit is sent only once the journal says `committing`, durably. */
export function mustBeWrittenBeforeCommit(at: NodeIndex, { journal }: StateDir, token: number): void {
  const { phase } = journal;
  if (phase.kind === "committing" && phase.token === token) return;
  // Once more under the same token, after a swap that was too late: `swapping` is as good.
  if (phase.kind === "swapping" && phase.swap.token === token) return;
  violated(
    "journal before commit",
    `${nameOf(at)} commits token ${token} while its journal says ${phase.kind}`,
  );
}

/** Only the very process that was judged may keep its build. */
export function mustBeOurConfirm(at: NodeIndex, { instance }: Process, event: Event): void {
  if (event.kind === "orders" && event.confirm?.instanceId === instance) return;
  violated("confirm for another instance", `${nameOf(at)} takes a confirm that is meant for another process`);
}

/** A lease comes back only when its node is through with it: confirmed durably, gone back, or never acted. */
export function mustBeOver(world: World, at: NodeIndex, { token, proof, phase }: Settled): void {
  if (phase === "reserved") return;
  const { disk, process } = nodeAt(world, at);
  const work = atWork(disk, process, token);
  if (work === null) return;
  violated("returned only by proof", `${nameOf(at)}'s token ${token} comes back (${proof}) while ${work}`);
}

function atWork({ journal, trial }: StateDir, process: Process | null, token: number): string | null {
  const { phase } = journal;
  if (phase.kind === "committing" && phase.token === token) return "its journal says committing";
  if ((phase.kind === "swapping" || phase.kind === "confirmed") && phase.swap.token === token) {
    return `its journal says ${phase.kind}`;
  }
  if (trial?.swap.token === token) return "its trial is not over";
  const update = process?.machine.update;
  if (update?.kind === "draining" && update.token === token) return "it drains";
  return null;
}

/** A message of one node never returns the lease of another. */
export function mustOnlyReturnOwn(at: NodeIndex, before: LeaseRecord, after: LeaseRecord): void {
  for (const holder of before.holders) {
    if (holder.nodeId === idOf(at) || after.holders.includes(holder)) continue;
    violated("returned only by proof", `a report of ${nameOf(at)} changed what ${holder.nodeId} holds`);
  }
}

/** Tokens never repeat or fall; nobody else holds the lease; the gate is open; the leader waits. */
export function mustAffordReserve(world: World, at: NodeIndex, token: number): void {
  const { hub, now } = world;
  const own = hub.lease.holders.find((holder) => holder.nodeId === idOf(at));
  if (epochOf(token) < hub.epoch) {
    violated("tokens only rise", `${nameOf(at)} is given token ${token} of an epoch before the restore`);
  }
  const isFresh = own?.token !== token;
  if (isFresh && token <= hub.given) {
    violated("tokens only rise", `${nameOf(at)} is given token ${token} after ${hub.given} had been given`);
  }
  for (const holder of hub.lease.holders) {
    const isLive = holder.phase === "in-flight" || now < holder.expiresAtMs;
    if (isLive && holder.nodeId !== idOf(at)) {
      violated("one at a time", `${nameOf(at)} is given token ${token} while another holds ${holder.token}`);
    }
  }
  mustBeOpen(world, at, "reserves");
  mustComeAfterOthers(world, at);
}

/** Enough of the others serve, nobody else is at work, the token is of this epoch, the gate is open. */
export function mustAffordCommit(world: World, at: NodeIndex, token: number): void {
  const { hub } = world;
  const serving = world.nodes.filter((_, other) => other !== at && serves(world, other));
  if (serving.length < QUORUM) {
    violated("quorum", `${nameOf(at)} commits while ${serving.length} others serve, as far as is known`);
  }
  const busy = world.nodes.findIndex((_, other) => other !== at && isDisrupted(world, other));
  if (busy !== -1) {
    violated(
      "the last one first",
      `${nameOf(at)} commits while ${nameOf(busy)} has not come through its own update`,
    );
  }
  if (epochOf(token) < hub.epoch) {
    violated(
      "tokens of an earlier epoch",
      `${nameOf(at)} commits token ${token} of an epoch before the restore`,
    );
  }
  if (inFlight(world, at, token)) return;
  mustBeOpen(world, at, "commits");
  mustComeAfterOthers(world, at);
}

function mustBeOpen({ hub }: World, at: NodeIndex, does: string): void {
  if (!hub.isOpen) violated("the gate", `${nameOf(at)} ${does} while the gate is closed`);
}

/** The leader goes last, as far as the newest reports show. */
function mustComeAfterOthers({ hub, nodes }: World, at: NodeIndex): void {
  if (hub.presence[at]?.heartbeat?.health.role !== "leader") return;
  // Of two that say so at once, as in the moment after an election, either may be the leader.
  const before = nodes.findIndex(
    (node, other) =>
      other !== at &&
      node.member &&
      hasWork(hub.jobs[other]?.status) &&
      hub.presence[other]?.heartbeat?.health.role !== "leader",
  );
  if (before !== -1)
    violated("the leader goes last", `${nameOf(at)} leads and goes before ${nameOf(before)}`);
}

const hasWork = (status: string | undefined): boolean => status === "queued" || status === "running";

/** The dumb twin of the budget: heard in the last two intervals, healthy, and owing no word. */
function serves({ hub, now, nodes }: World, at: NodeIndex): boolean {
  const presence = hub.presence[at];
  if (nodes[at]?.member !== true || presence?.heartbeat == null || presence.heartbeatAtMs === null)
    return false;
  if (now - presence.heartbeatAtMs > 2 * HEARTBEAT_MS || !presence.heartbeat.health.healthy) return false;
  const owes = [...hub.lease.holders.filter((holder) => holder.phase === "in-flight"), ...hub.lease.broken];
  return !owes.some((each) => each.nodeId === idOf(at));
}

/** Between the beginning of a drain and its durable end a node may be down, whatever anybody thinks of it. */
export function isDisrupted(world: World, at: NodeIndex): boolean {
  const { disk, process, member } = nodeAt(world, at);
  if (!member) return false;
  const { kind } = disk.journal.phase;
  if (kind === "swapping" || kind === "confirmed") return true;
  return process?.machine.update.kind === "draining";
}
