/**
 * Faults that are planted in the product one at a time, to see that the simulation finds them. Each is a clause of
 * DESIGN 5 or 6 taken away; a simulation that passes with one of them proves nothing about that clause.
 */
import type { Mutation } from "./mutate.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "an in-flight lease is freed by time",
    file: "server-stub/core/lease/record.ts",
    from: 'holder.phase === "in-flight" || now < holder.expiresAtMs;',
    to: 'now < (holder.phase === "in-flight" ? holder.countedFromMs + 20_000 : holder.expiresAtMs);',
  },
  {
    name: "an idle report of the process that committed returns its lease",
    file: "server-stub/core/lease/settle.ts",
    from: "if (own.instanceId === report.instanceId) return null;",
    to: "",
  },
  {
    name: "an in-flight lease is returned by whatever a new process says",
    file: "server-stub/core/lease/settle.ts",
    from: 'if (report.journal.kind !== "idle") return null;',
    to: 'if (report.journal.kind !== "idle") return own.phase === "in-flight" && own.instanceId !== report.instanceId ? { proof: "idle", reason: null } : null;',
  },
  {
    name: "the lease of the group is given to two",
    file: "server-stub/core/lease/reserve.ts",
    from: "const other = concerning.find(",
    to: "const other = [].find(",
  },
  {
    name: "tokens are used again",
    file: "server-stub/core/lease/reserve.ts",
    from: "lastToken: Math.max(token, lease.lastToken)",
    to: "lastToken: lease.lastToken",
  },
  {
    name: "the budget is not looked at",
    file: "server-stub/core/lease/budget.ts",
    from: "if (serving.length >= needed) return null;",
    to: "return null;",
  },
  {
    name: "whoever is silent counts as serving",
    file: "server-stub/core/lease/budget.ts",
    from: 'return member.serving ? null : (member.ailment ?? "does not serve");',
    to: "return null;",
  },
  {
    name: "commit does not check the budget again",
    file: "server-stub/core/lease/commit.ts",
    from: "denyByBudget(group, lease, asker.nodeId, policy) ??",
    to: "",
  },
  {
    name: "a restore keeps the epoch of its backup",
    file: "server-stub/service/restart.ts",
    from: "const tokenEpoch = Math.max(meta.value.tokenEpoch + 1, atLeast);",
    to: "const { tokenEpoch } = meta.value;",
  },
  {
    name: "a node at work that the record does not know of is not taken as in flight",
    file: "server-stub/core/lease/adopt.ts",
    from: "if (known) return { lease, outcome: [] };",
    to: "return { lease, outcome: [] };",
  },
  {
    name: "the leader goes whenever it likes",
    file: "server-stub/core/lease/leader.ts",
    from: 'if (me?.role === "leader" && waitFor.length > 0) {',
    to: 'if (me?.role === "leader" && waitFor.length > 99) {',
  },
  {
    name: "whoever was brought to its build is waited for",
    file: "server-stub/service/reports.ts",
    from: "if (isActive(job) && isThere(job, lease, report, heartbeat.update.state)) return succeed(job, ctx.wall());",
    to: "",
  },
  {
    name: "whoever's lease was broken counts as serving",
    file: "server-stub/core/lease/record.ts",
    from: "lease.broken.some((broken) => broken.nodeId === nodeId) || holderOf",
    to: "holderOf",
  },
  {
    name: "who was thought dead goes on writing",
    file: "server-stub/store/seated.ts",
    from: 'await store.apply([{ kind: "in-seat", claim }, ...changes]);',
    to: "await store.apply(changes);",
    quick: 4,
  },
  {
    name: "the seat is always taken under the same claim",
    file: "server-stub/service/replica.ts",
    from: "claim: newNonce(random),",
    to: 'claim: "0",',
  },
  {
    name: "who takes the seat has heard everybody already",
    file: "server-stub/service/context.ts",
    from: "startedAtMs: now(),",
    to: "startedAtMs: 0,",
  },
  {
    name: "a write whose reply was lost is written again",
    file: "server-stub/store/postgres/write-once.ts",
    from: "if (doubt !== null && (await asking.wasWritten(doubt.id))) return { done: true, answer: doubt.answer };",
    to: "",
    quick: 4,
  },
  {
    name: "a write whose reply was lost is taken for written",
    file: "server-stub/store/postgres/write-once.ts",
    from: "doubt !== null && (await asking.wasWritten(doubt.id))",
    to: "doubt !== null",
  },
  {
    name: "who has lost the seat goes on serving",
    file: "server-stub/service/replica.ts",
    from: "seated = null;\n    changed(false);",
    to: "changed(false);",
  },
  {
    // The time is looked at four times on the way; only without it none of them finds anything.
    name: "the flip comes after its time",
    file: "agent/core/machine/draining.ts",
    from: "actBy: state.actBy };",
    to: "actBy: Number.MAX_SAFE_INTEGER };",
  },
  {
    name: "confirmed is said although the trial is still there",
    file: "agent/core/machine/confirming.ts",
    from: 'return at(draft.ask({ kind: "remove-trial", swap, confirmed: true }));',
    to: 'return perform(draft, state, "floor");',
  },
  {
    name: "no flip is made to last",
    file: "agent/effects/durable.ts",
    from: "  await fsyncDir(disk, dirname(path));\n}\n\n/** Renames and makes it last",
    to: "}\n\n/** Renames and makes it last",
  },
  {
    name: "the journal's content is not made to last",
    file: "agent/effects/durable.ts",
    from: "await file.chmod(mode);\n      await file.sync();",
    to: "await file.chmod(mode);",
  },
  {
    name: "a release is sealed before its files last",
    file: "agent/effects/unpack-tree.ts",
    from: "await open.sync();",
    to: "",
  },
  {
    // What a start does in the middle of going back, the guard before it does as well: each alone is enough.
    name: "dist goes back before the build is quarantined",
    file: "agent/core/machine/going-back.ts",
    from: 'return perform(draft, begun(swap, why), "quarantine");',
    to: 'return perform(draft, begun(swap, why), "verdict");',
  },
  {
    name: "the old build is kept without its backup",
    file: "agent/core/machine/going-back.ts",
    from: 'return at(draft.ask({ kind: "restore-backup", backup: swap.previousBackup }));',
    to: 'return at(draft.ask({ kind: "restore-backup", backup: null }));',
  },
  {
    name: "garbage collection takes what dist.bak names",
    file: "agent/effects/garbage.ts",
    from: "const isInUse = [dist, backup].includes(",
    to: "const isInUse = [dist].includes(",
  },
  {
    name: "a trial that was being made when the node crashed is left lying",
    file: "agent/executor/disk-work.ts",
    from: "await disk.rm(layout.trialNew);",
    to: "",
  },
  {
    name: "a probation that is over is not",
    file: "agent/core/machine/probation.ts",
    from: "if (draft.now < deadline) return state;",
    to: "return state;",
  },
];
