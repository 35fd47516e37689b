/** The invariants that every state of the world has to keep, whatever led to it. See `checks.ts` for those of steps. */
import { epochOf, isDisrupted } from "./checks.ts";
import { violated } from "./violation.ts";
import { type Node, type NodeIndex, nameOf, type World } from "./world.ts";

export function checkState(world: World): void {
  checkLease(world);
  checkJobs(world);
  const down = world.nodes.flatMap((_, at) => (isDisrupted(world, at) ? [nameOf(at)] : []));
  if (down.length > 1) violated("one at a time", `${down.join(" and ")} are down for their updates`);
  world.nodes.forEach((node, at) => {
    checkDisk(node, at);
  });
}

/** At most one reserved or in flight; tokens are counted; a restore leaves no reservation. */
function checkLease({ hub, now }: World): void {
  const { lease, epoch } = hub;
  const live = lease.holders.filter((holder) => holder.phase === "in-flight" || now < holder.expiresAtMs);
  // What a restore brings back, or is claimed from before it, is taken as in flight beside others: the truth about
  // who is down is asked of the nodes themselves, and nobody commits beside them.
  const counted = live.filter((holder) => epochOf(holder.token) === epoch);
  if (counted.length > 1) violated("one at a time", "two hold the lease of one group");
  if (live.some((holder) => holder.phase === "reserved" && epochOf(holder.token) < epoch)) {
    violated("a restore drops reservations", "a reservation of an earlier epoch still holds");
  }
  if (lease.holders.some((holder) => holder.token > lease.lastToken)) {
    violated("tokens only rise", "a token is held that is above the last one given");
  }
}

/** Failing a job and confirming it exclude each other. */
function checkJobs({ hub }: World): void {
  hub.jobs.forEach((job, at) => {
    if (job?.status === "failed" && job.confirming !== null) {
      violated("failed or confirmed", `${nameOf(at)}'s job has failed, and its build is to be kept`);
    }
  });
}

function checkDisk({ disk, process, member }: Node, at: NodeIndex): void {
  if (!member) return;
  const { journal, trial, dist, backup, quarantine } = disk;
  const { phase } = journal;
  if (phase.kind === "swapping" && dist.link === phase.swap.to.link) {
    if (trial?.swap.token !== phase.swap.token) {
      violated("a build on probation is guarded", `${nameOf(at)} runs an unconfirmed build without a trial`);
    }
    if (backup?.link !== phase.swap.from.link) {
      violated("dist.bak is the way back", `${nameOf(at)}'s dist.bak does not name what it would go back to`);
    }
  }
  const update = process?.machine.update;
  if (update?.kind === "probation") {
    const { buildHash } = update.swap.to.build;
    if (quarantine.some(({ build }) => build.buildHash === buildHash)) {
      violated("quarantined is never tried", `${nameOf(at)} has a quarantined build on probation`);
    }
  }
  for (const { token, word } of journal.finalWords) {
    const isLeft = trial?.swap.token === token;
    if ((word === "confirmed" || word === "rolled-back") && isLeft) {
      violated(
        "the word comes last",
        `${nameOf(at)} has said ${word} on token ${token} and its trial still exists`,
      );
    }
  }
}
