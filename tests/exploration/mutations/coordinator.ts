/** Mistakes in the lease core of the coordinator. */
import type { Mutation } from "./mutation.ts";

const ONE = ["update", null, null] as const;
const TWO = ["update", "update", null] as const;
const LEASE = "server-stub/core/lease";

export const COORDINATOR_MUTATIONS: readonly Mutation[] = [
  {
    name: "freed by time-out",
    edits: [
      {
        file: `${LEASE}/record.ts`,
        from: `holder.phase === "in-flight" || now < holder.expiresAtMs;`,
        to: `now < (holder.phase === "in-flight" ? holder.countedFromMs + 300_000 : holder.expiresAtMs);`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "no flip without a lease",
  },
  {
    name: "returned at process start",
    edits: [
      {
        file: `${LEASE}/settle.ts`,
        from: `  if (report.journal.kind !== "idle") return null;\n`,
        to: `  if (own.instanceId !== report.instanceId) return { proof: "back", reason: null };\n`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "returned only by proof",
  },
  {
    name: "returned when the coordinator says confirm",
    edits: [
      {
        file: `${LEASE}/settle.ts`,
        from: `  if (report.journal.kind !== "idle") return null;\n`,
        to: `  if (report.journal.kind === "swapping" && own.phase === "in-flight" && own.to !== null && sameBuild(own.to, report.build)) return { proof: "confirmed", reason: null };\n  if (report.journal.kind !== "idle") return null;\n`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "returned only by proof",
  },
  {
    name: "an old instance may return",
    edits: [
      {
        file: `${LEASE}/settle.ts`,
        from: `  if (own.instanceId === report.instanceId) return null;\n`,
        to: "",
      },
    ],
    world: { jobs: ONE, faults: { late: 1 } },
    breaks: "returned only by proof",
  },
  {
    name: "the budget ignores the vanished",
    edits: [
      {
        file: `${LEASE}/budget.ts`,
        from: `return member.serving ? null : (member.ailment ?? "does not serve");`,
        to: `return null;`,
      },
    ],
    world: { jobs: ONE, faults: { sleep: 1 } },
    breaks: "quorum",
  },
  {
    name: "a broken holder counted as serving",
    edits: [
      {
        file: `${LEASE}/record.ts`,
        from: `lease.broken.some((broken) => broken.nodeId === nodeId) || `,
        to: "",
      },
    ],
    world: { jobs: TWO, faults: { pause: 1, break: 1 } },
    breaks: "quorum",
  },
  {
    name: "a token reused after a restart",
    edits: [
      {
        file: `${LEASE}/end.ts`,
        from: `if (lease.holders.length === 0) return lease;`,
        to: `if (lease.holders.length === 0) return { ...lease, lastToken: 0 };`,
      },
    ],
    world: { jobs: TWO, faults: { restart: 1 } },
    breaks: "tokens only rise",
  },
  {
    name: "a token reused after a restore",
    edits: [
      {
        file: `${LEASE}/reserve.ts`,
        from: `nextToken(lease.lastToken, policy.epoch)`,
        to: `nextToken(lease.lastToken, 0)`,
      },
    ],
    world: { jobs: TWO, faults: { backup: 1, restore: 1 } },
    breaks: "tokens only rise",
  },
  {
    name: "a failed job confirmed late",
    edits: [
      {
        file: "server-stub/core/confirm.ts",
        from: `  if (!isActive(job)) return {`,
        to: `  if (!isActive(job) && waiting !== null) return {`,
      },
    ],
    world: { jobs: ONE, faults: { pause: 1 } },
    breaks: "failed or confirmed",
  },
  {
    name: "a commit without a re-check",
    edits: [
      {
        file: `${LEASE}/commit.ts`,
        from: `if (refused !== null) return {`,
        to: `if (refused !== null && now < 0) return {`,
      },
    ],
    world: { jobs: ONE, faults: { sleep: 1 } },
    breaks: "quorum",
  },
  {
    name: "the leader not last",
    edits: [
      {
        file: `${LEASE}/leader.ts`,
        from: `if (me?.role === "leader" && waitFor.length > 0) {`,
        to: `if (me?.role === "leader" && waitFor.length > 9) {`,
      },
    ],
    world: { jobs: TWO, faults: {}, leader: 0 },
    breaks: "the leader goes last",
  },
  {
    name: "a late report of an old session counts",
    edits: [
      {
        file: "server-stub/core/presence/presence.ts",
        from: `presence === undefined || frame.session !== presence.session`,
        to: `presence === undefined`,
      },
      {
        file: "server-stub/core/presence/presence.ts",
        from: `frame.type === "heartbeat" && frame.instanceId !== presence.hello.instanceId`,
        to: `frame.type === "heartbeat" && frame.instanceId === ""`,
      },
    ],
    world: { jobs: ONE, faults: { crash: 1, late: 1 } },
    breaks: "returned only by proof",
  },
  {
    name: "a restored reservation kept",
    edits: [
      {
        file: `${LEASE}/end.ts`,
        from: `holder.phase === "reserved" ? [] : [{`,
        to: `holder.phase === "reserved" ? [holder] : [{`,
      },
    ],
    world: { jobs: ONE, faults: { backup: 1, restore: 1 } },
    breaks: "a restore drops reservations",
  },
  {
    name: "a token of an earlier epoch committed",
    edits: [
      {
        file: `${LEASE}/commit.ts`,
        from: `if (tokenEpoch(ask.token) < policy.epoch) {`,
        to: `if (tokenEpoch(ask.token) < 0) {`,
      },
    ],
    world: { jobs: ONE, faults: { backup: 1, restore: 1, sleep: 1 } },
    breaks: "tokens of an earlier epoch",
  },
  {
    name: "a break acknowledged by an idle report of the same instance",
    edits: [
      {
        file: `${LEASE}/settle.ts`,
        from: `const isNew = broken.instanceId === null || broken.instanceId !== report.instanceId;`,
        to: `const isNew = broken.token > 0;`,
      },
    ],
    world: { jobs: ONE, faults: { late: 1, pause: 1, break: 1 } },
    breaks: "returned only by proof",
  },
  {
    name: "a second lease beside the first",
    edits: [
      {
        file: `${LEASE}/reserve.ts`,
        from: `holder.nodeId !== asker.nodeId && holds(holder, now));`,
        to: `holder.nodeId === asker.nodeId && holds(holder, now));`,
      },
    ],
    world: { jobs: TWO, faults: {} },
    breaks: "one at a time",
  },
  {
    name: "a last word that returns nothing",
    edits: [
      {
        file: `${LEASE}/settle.ts`,
        from: `report.finalWords.find((each) => each.token === own.token);`,
        to: `report.finalWords.find((each) => each.token === -own.token);`,
      },
    ],
    world: { jobs: ONE, faults: {} },
    breaks: "the world can settle",
  },
];
