/** What is true when nothing is under way any more. */
import { releaseName } from "../../../protocol/build.ts";
import type { NodeId } from "../../../protocol/names.ts";
import type { NodeMachine } from "../node.ts";
import { ROOT } from "../node.ts";
import type { DirNode } from "../tree.ts";
import type { World } from "../world.ts";
import { Violation } from "./violation.ts";

/** What has not come to its end; null when everything has. */
export async function unsettled(world: World, removed: ReadonlySet<NodeId>): Promise<string | null> {
  const { stored } = world.coordinator;
  if (stored === null) return "The coordinator is not up.";
  for (const node of world.nodes.values()) {
    if (node.power === "gone" || removed.has(node.nodeId)) continue;
    const why = unrest(node);
    if (why !== null) return `${node.name} ${why}.`;
  }
  for (const { group, value } of await stored.busyLeases()) {
    const held = [...value.holders, ...value.broken].map(({ token, nodeId }) => `${token} of ${nodeId}`);
    return `A lease of ${group} is held: ${held.join(", ")}.`;
  }
  for (const { value } of await stored.activeJobs())
    return `Job ${value.id} of ${nameOf(world, value.nodeId)} is ${value.status}: ${value.reason?.message ?? value.step}.`;
  for (const { value } of await stored.unfinishedRollouts())
    return `Rollout ${value.id} is ${value.status}: ${value.reason?.message ?? "no reason"}.`;
  return null;
}

/** Everything that is not over, for the story. */
export async function tellWhatWaits(world: World): Promise<void> {
  const { stored } = world.coordinator;
  if (stored === null) return;
  for (const { value } of await stored.unfinishedRollouts()) {
    world.story.tell(
      "rollout",
      `${value.id} of ${value.release} is ${value.status}: ${value.reason?.message ?? ""}`,
    );
    for (const { name, status, reason, jobId } of value.nodes)
      world.story.tell("rollout", `  ${name} ${status} ${jobId ?? ""} ${reason?.message ?? ""}`);
  }
  for (const { value } of await stored.activeJobs())
    world.story.tell(
      "job",
      `${value.id} ${value.kind} of ${nameOf(world, value.nodeId)} ${value.status} ${value.step} ${value.reason?.message ?? ""}`,
    );
  for (const node of world.nodes.values()) {
    const status = node.agent?.status();
    world.story.tell(
      node.name,
      `${status?.build.version} ${status?.update.state} ${status?.update.jobId} ${status?.update.reason?.message ?? ""} ${node.parts.cluster.leader === node.name ? "(leader)" : ""}`,
    );
  }
}

const nameOf = (world: World, nodeId: NodeId): string =>
  [...world.nodes.values()].find((node) => node.nodeId === nodeId)?.name ?? nodeId;

function unrest(node: NodeMachine): string | null {
  const { agent } = node;
  if (agent === null) return "runs no agent";
  const status = agent.status();
  if (!status.connected) return "has no session";
  if (status.update.state !== "idle")
    return `is ${status.update.state}: ${status.update.reason?.message ?? ""}`;
  if (status.finalWords.length > 0) return "says a last word that nobody acknowledges";
  if (status.journal.kind !== "idle") return `has ${status.journal.kind} in its journal`;
  return null;
}

/** Each node on a good build, with nothing lying about, and each order ended in a way that agrees with its node. */
export async function requireSettled(
  world: World,
  removed: ReadonlySet<NodeId>,
  count: (what: string) => void,
): Promise<void> {
  const { stored } = world.coordinator;
  if (stored === null) return;
  for (const node of world.nodes.values()) {
    if (node.power === "gone" || removed.has(node.nodeId)) continue;
    requireGoodBuild(node);
    count(`ends on: ${node.running?.build.version === "1.0.0" ? "its first build" : "a later build"}`);
    for (const name of quarantinedOn(node))
      count(`quarantined: ${node.parts.builds.all.get(name)?.manner ?? "?"}`);
    requireNoLitter(node);
    // What was ordered after the backup is forgotten, and what came of it is not.
    if (!world.coordinator.wasRestored) await requireJobAgrees(world, node, count);
  }
  for (const { value } of await stored.rollouts()) {
    count(
      `rollout: ${value.kind} ${value.status} ${value.status === "completed" ? "" : (value.reason?.code ?? "")}`.trim(),
    );
    if (value.status !== "completed" && value.reason === null)
      throw new Violation("ends-with-a-reason", `Rollout ${value.id} is ${value.status} for no reason.`);
  }
}

function quarantinedOn(node: NodeMachine): string[] {
  const dir = node.disk.tree.find(`${ROOT}/state/quarantine`, false);
  return dir?.kind === "dir" ? [...dir.entries.keys()] : [];
}

/** Bad builds that nothing can ever make good. */
const NEVER_KEPT = [
  "crashes-at-start",
  "exits-at-once",
  "hangs-before-ready",
  "hangs-after-ready",
  "is-unhealthy",
  "never-catches-up",
  "flaps",
  "cannot-connect",
  "fails-self-test",
  "other-platform",
];

function requireGoodBuild(node: NodeMachine): void {
  const { running } = node;
  if (running === null) throw new Violation("settles", `${node.name} runs nothing.`);
  if (NEVER_KEPT.includes(running.manner))
    throw new Violation(
      "bad-builds-go-back",
      `${node.name} kept ${running.build.version}, which ${running.manner}.`,
    );
  const { tree } = node.disk;
  if (tree.find(`${ROOT}/state/quarantine/${running.build.buildHash}`, false) !== null)
    throw new Violation(
      "bad-builds-go-back",
      `${node.name} runs ${running.build.version}, which is quarantined.`,
    );
  const dist = tree.find(`${ROOT}/dist`, false);
  if (dist?.kind !== "link" || dist.target !== `releases/${releaseName(running.build)}`)
    throw new Violation("settles", `${node.name} runs something else than dist names.`);
}

const LITTER = [/^\.trial-(new|gone)$/, /^trial$/, /^verdict$/, /\.tmp$/, /^\.prepare-/, /^\.kit/, /\.part$/];

/** A disk that failed may have kept what was not to be kept, of 200 bytes; the journal's next write or the next start takes it away. */
const NEXT_JOURNAL = ".journal.json.tmp";

function requireNoLitter(node: NodeMachine): void {
  const walk = (dir: DirNode, path: string): void => {
    for (const [name, child] of dir.entries) {
      if (LITTER.some((litter) => litter.test(name)) && name !== NEXT_JOURNAL)
        throw new Violation("no-litter", `${node.name} has ${path}/${name} lying about.`);
      if (child.kind === "dir") walk(child, `${path}/${name}`);
    }
  };
  const root = node.disk.tree.get(ROOT, true);
  if (root.kind === "dir") walk(root, "");
}

/** How its last job ended, and what it runs. */
async function requireJobAgrees(
  world: World,
  node: NodeMachine,
  count: (what: string) => void,
): Promise<void> {
  const job = (await world.coordinator.stored?.lastJob(node.nodeId))?.value;
  const running = node.running?.build;
  if (job === undefined || running === undefined || job.to === null) return;
  count(`job: ${job.kind} ${job.status} ${job.reason?.code ?? ""}`.trim());
  if (job.status === "succeeded" && job.to.buildHash !== running.buildHash)
    throw new Violation(
      "jobs-agree",
      `The last job of ${node.name} succeeded in bringing it to ${job.to.version}, and it runs ${running.version}.`,
    );
  const endedUnseen = ["lease-broken", "did-not-reconnect", "restored", "removed"].includes(
    job.reason?.code ?? "",
  );
  if (job.status === "failed" && job.to.buildHash === running.buildHash && !endedUnseen)
    throw new Violation(
      "jobs-agree",
      `The last job of ${node.name} failed (${job.reason?.code}), and it runs what it was to be brought to.`,
    );
}
