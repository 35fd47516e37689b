/** What more than one scenario looks for in a fleet, from outside and on its nodes. */
import assert from "node:assert/strict";
import { AgentStatus } from "../../../agent/control/messages.ts";
import { everything } from "../../../cli/api/everything.ts";
import { Alert } from "../../../protocol/alert.ts";
import { AuditEntry } from "../../../protocol/audit.ts";
import type { Build } from "../../../protocol/build.ts";
import type { LeaseView } from "../../../protocol/lease.ts";
import { parse } from "../../../protocol/parse.ts";
import { FaultError } from "../../../protocol/result.ts";
import type { Rollout } from "../../../protocol/rollout.ts";
import type { Sampler } from "../../harness/sampler.ts";
import { type Fleet, releaseOf, showRollout } from "../fleet/fleet.ts";
import { AGENTS, LEADER } from "../fleet/image.ts";
import type { Node } from "../lab/node.ts";
import { until } from "../lab/until.ts";

export const AGENT_UNIT = "baton-agent";

/** What `agent status` says on a node. */
export async function statusOf(node: Node): Promise<AgentStatus> {
  const said = await node.must(["agent", "status", "--json"]);
  const status = parse(AgentStatus, JSON.parse(said), "agent status");
  if (!status.ok) throw new Error(status.error.message);
  return status.value;
}

/** Waits until the agent of a node answers and is as the look wants it. */
export async function untilStatus(
  node: Node,
  what: string,
  look: (status: AgentStatus) => boolean,
  timeoutMs = 20_000,
): Promise<AgentStatus> {
  let last: AgentStatus | undefined;
  const seen = async () => {
    last = await statusOf(node);
    return look(last) ? last : undefined;
  };
  try {
    return await until(seen, { what: `${what} in agent status on ${node.name}`, timeoutMs });
  } catch (error) {
    throw new Error(`The agent of ${node.name} says ${JSON.stringify(last)}`, { cause: error });
  }
}

/** What a node runs, as the coordinator knows it. */
export async function runningOn(fleet: Fleet, name: string): Promise<Build> {
  const { build } = await fleet.seen(name);
  if (build === null) throw new Error(`The coordinator does not know what ${name} runs.`);
  return build;
}

/** Waits until a rollout is over, which must end like this; gives it. */
export async function untilEnded(fleet: Fleet, id: string, status: Rollout["status"]): Promise<Rollout> {
  const rollout = await fleet.untilOver(id);
  assert.equal(rollout.status, status, showRollout(rollout));
  return rollout;
}

/** Waits until somebody is in flight, other than those named; gives its name and token. */
export async function untilInFlight(
  fleet: Fleet,
  besides: readonly string[] = [],
): Promise<{ readonly name: string; readonly token: number }> {
  const look = async () => {
    const { holder } = await fleet.lease();
    const name = holder?.nodeName ?? null;
    if (holder?.phase !== "in-flight" || name === null || besides.includes(name)) return undefined;
    return { name, token: holder.token };
  };
  return await until(look, { what: "node in flight", timeoutMs: 30_000, everyMs: 20 });
}

/** Waits until `dist` of a node names a build. */
export async function untilDist(fleet: Fleet, name: string, build: Build, timeoutMs = 30_000): Promise<void> {
  const release = releaseOf(build);
  await until(() => fleet.link(name) === release, {
    what: `dist -> ${release} on ${name}`,
    timeoutMs,
    everyMs: 10,
  });
}

/** Waits until nobody holds the lease, nor is owed for; gives the view. */
export const untilLeaseIsFree = (fleet: Fleet, timeoutMs = 15_000): Promise<LeaseView> =>
  until(
    async () => {
      const lease = await fleet.lease();
      return lease.holder === null && lease.broken.length === 0 ? lease : undefined;
    },
    { what: "lease that is free", timeoutMs },
  );

/** Every alert there ever was, resolved or not, of one kind or of all. */
export async function alertsOf(fleet: Fleet, kind?: Alert["kind"]): Promise<readonly Alert[]> {
  const all = await everything(fleet.api, ["v1", "alerts"], "alerts", Alert);
  if (!all.ok) throw new FaultError(all.error);
  return kind === undefined ? all.value : all.value.filter((alert) => alert.kind === kind);
}

/** How long before an alarm a node must have been seen down for the alarm to be a true one. */
const BEFORE_ALARM_MS = 3_000;

/** Nothing was wrong: all that may have been said is that a node which restarts is offline for a moment. */
export async function assertNoFalseAlarm(
  fleet: Fleet,
  sampler: Sampler,
  sampledSince: number,
): Promise<void> {
  const ids = new Map(
    await Promise.all(AGENTS.map(async (name) => [(await fleet.seen(name)).id, name] as const)),
  );
  for (const { kind, subject, message, raisedAt } of await alertsOf(fleet)) {
    const at = raisedAt - sampledSince;
    const before = sampler
      .samples(ids.get(subject) ?? "")
      .filter(({ atMs }) => atMs > at - BEFORE_ALARM_MS && atMs <= at);
    const wasDown = kind === "node_offline" && before.some(({ up }) => !up);
    assert.ok(wasDown, `a false alarm: ${message}`);
  }
}

/** What the audit log says of an action, the newest first. */
export async function auditOf(fleet: Fleet, action: string): Promise<readonly AuditEntry[]> {
  const all = await everything(fleet.api, ["v1", "audit"], "entries", AuditEntry);
  if (!all.ok) throw new FaultError(all.error);
  return all.value.filter((entry) => entry.action === action);
}

/** All three serve with this build, and nothing of the update is left over. */
export async function assertAllOn(fleet: Fleet, build: Build): Promise<void> {
  for (const name of AGENTS) {
    const node = await fleet.untilSeen(name, `serving with ${build.version}`, (seen) => seen.serving);
    assert.equal(node.build?.buildHash, build.buildHash, `${name} is on ${node.build?.version}`);
    assert.equal(fleet.link(name), releaseOf(build));
    assert.deepEqual(node.quarantine, [], `${name} has quarantined something`);
    assert.equal(fleet.machine(name).exists("/var/lib/baton-agent/state/trial"), false);
  }
}

/** Ends the sampling, and no two workloads were ever down at one instant. */
export async function assertNeverTwoDown(sampler: Sampler): Promise<void> {
  await sampler.stop();
  const most = sampler.mostDown();
  assert.ok(most.count <= 1, `${most.nodes.join(" and ")} were down at once, ${Math.round(most.atMs)} ms in`);
}

/** The leader served with the old build until both followers had the new one. */
export async function assertLeaderLast(sampler: Sampler, version: string): Promise<void> {
  const at = (name: string) => sampler.versions(name).find((one) => one.version === version)?.atMs;
  const leader = at(LEADER);
  assert.ok(leader !== undefined, `${LEADER} was never seen on ${version}`);
  for (const name of AGENTS.filter((one) => one !== LEADER)) {
    const follower = at(name);
    assert.ok(follower !== undefined && follower < leader, `${name} was not updated before ${LEADER}`);
  }
}
