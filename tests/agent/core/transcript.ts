/**
 * Transcripts of the update machine: text files of what happens to a node (`> …`) and what it does about it.
 *
 *   > orders job=j1 to=B          what the coordinator wants; `turn`, `retry`, `rollback`, `none`, `confirm`, `ack=N`
 *   > done                        what was asked for first is done (disk, hooks, prepare)
 *   > granted token=7             the lease call that is out is granted (`ttl=`, `within=`)
 *   > refused quorum  > unreachable  > fails disk-full
 *   > session  > no session  > healthy  > unhealthy  > wait 5s  > stop
 *   > hang 90s                    time passes, and the process does not notice
 *   > crash  > restart  > guard gone back  > torn journal
 */

import { type Journal, journalReport } from "../../../agent/core/journal.ts";
import type { Command, CommandKind, CommandOf } from "../../../agent/core/machine/command.ts";
import type { Event } from "../../../agent/core/machine/event.ts";
import type { UpdateState } from "../../../agent/core/machine/state.ts";
import { updateReport } from "../../../agent/core/report.ts";
import { type Build, showBuild } from "../../../protocol/build.ts";
import { type Asked, build, DISK_KINDS, instance, ModelNode, place, refusal } from "./model-node.ts";
import { preparedBuild } from "./prepared-build.ts";

const BUILDS: Readonly<Record<string, Build>> = {
  Z: build("0.9.0", "f"),
  A: build("1.0.0", "a"),
  B: build("1.1.0", "b"),
  C: build("1.2.0", "c"),
};
const letterOf = (of: Build): string =>
  Object.entries(BUILDS).find(([, each]) => each.buildHash === of.buildHash)?.[0] ?? showBuild(of);
const named = (letter: string | undefined): Build => {
  const found = BUILDS[letter ?? ""];
  if (found === undefined) throw new Error(`no build is called ${letter}`);
  return found;
};

/** Plays a transcript and returns it as it should read. */
export function play(text: string): string {
  const node = new ModelNode({
    journal: null,
    dist: place(named("A")),
    backup: place(named("Z")),
    trial: null,
    quarantine: [],
    verdict: null,
    floor: null,
  });
  const out: string[] = [];
  for (const block of text.trim().split(/\n\n+/)) {
    const kept = block.split("\n").filter((line) => line.startsWith("#") || line.startsWith(">"));
    const said = kept.flatMap((line) =>
      line.startsWith("#") ? [line] : [line, ...happen(node, line.slice(1).trim())],
    );
    out.push(said.join("\n"));
  }
  return `${out.join("\n\n")}\n`;
}

function happen(node: ModelNode, line: string): string[] {
  const [word = "", ...words] = line.split(/\s+/);
  const before = node.machine.update;
  const journal = node.machine.facts.journal;
  node.commands = [];
  const ignored = act(node, word, words);
  return [
    ...describe(before, node.machine.update),
    ...reasons(node, ignored),
    ...commandsOf(node),
    ...words_(journal, node),
  ];
}

function act(node: ModelNode, word: string, words: readonly string[]): string | null {
  const feed = (event: Event) => node.feed(event).ignored;
  const value = (key: string) => words.find((each) => each.startsWith(`${key}=`))?.slice(key.length + 1);
  switch (word) {
    case "orders":
      return feed(ordersOf(node, words, value));
    case "session":
      return feed({ kind: "session-opened", session: "5".repeat(32) });
    case "no":
      return feed({ kind: "session-closed" });
    case "healthy":
      return feed({ kind: "health", report: { healthy: true } });
    case "unhealthy":
      return feed({ kind: "health", report: { healthy: false, detail: "it does not answer" } });
    case "stop":
      return feed({ kind: "stop-requested" });
    case "wait":
      return node.wait(milliseconds(words[0] ?? ""))?.ignored ?? null;
    case "hang":
      node.now += milliseconds(words[0] ?? "");
      return null;
    case "crash":
      node.start();
      return null;
    case "restart":
      node.restart();
      return null;
    case "torn":
      node.disk.journal = "torn";
      return null;
    case "guard":
      node.disk.trial = node.disk.trial === null ? null : { ...node.disk.trial, tries: 0 };
      node.guard();
      return null;
    case "progress": {
      const asked = next(node, (each) => each.kind === "prepare", false);
      const progress = { step: "fetch", percent: Number(words[0]), bytesPerSecond: 1_000_000 } as const;
      return feed({ kind: "prepare-progressed", op: asked.op, progress });
    }
    case "done":
      return feed(answer(node, next(node, isPlain)));
    case "granted": {
      const asked = next(node, isLease);
      const { op } = asked;
      if (asked.kind === "reserve") {
        return feed({
          kind: "reserve-granted",
          op,
          token: Number(value("token")),
          ttlMs: Number(value("ttl") ?? 60_000),
        });
      }
      if (asked.kind === "renew")
        return feed({ kind: "renew-granted", op, ttlMs: Number(value("ttl") ?? 60_000) });
      return feed({ kind: "commit-granted", op, actWithinMs: Number(value("within") ?? 30_000) });
    }
    case "refused": {
      const fault = { code: words[0] ?? "", message: `Refused: ${words[0]}.` };
      return feed(refusal(next(node, isLease), fault));
    }
    case "unreachable": {
      const asked = next(node, isLease);
      const event = refusal(asked, { code: "unreachable", message: "Nobody answered." });
      if (!("failure" in event)) throw new Error("not a lease call");
      return feed({ ...event, failure: { ...event.failure, kind: "unreachable" } });
    }
    case "fails": {
      const code = words[0] ?? "";
      return feed(refusal(next(node, isPlain), { code, message: `It failed: ${code}.` }));
    }
    case "guard-was-faster": {
      const asked = next(node, isPlain);
      node.disk.dist = node.disk.backup ?? node.disk.dist;
      return feed(node.perform(asked));
    }
    default:
      throw new Error(`a transcript cannot say "${word}"`);
  }
}

function ordersOf(
  node: ModelNode,
  words: readonly string[],
  value: (key: string) => string | undefined,
): Event {
  const job = value("job");
  const token = value("confirm");
  const jobId = job === undefined ? "" : jobNamed(job);
  return {
    kind: "orders",
    desired:
      job === undefined
        ? null
        : {
            jobId,
            kind: words.includes("rollback") ? "rollback" : "update",
            cause: "rollout",
            release: words.includes("rollback") ? null : named(value("to")).version,
            build: words.includes("rollback") && value("to") === undefined ? null : named(value("to")),
            retry: words.includes("retry"),
            jitterMs: 0,
          },
    turn: words.includes("turn") ? { jobId, peers: [] } : null,
    waiting: words.includes("turn") ? null : { code: "not-your-turn", message: "Others come first." },
    confirm:
      token === undefined
        ? null
        : {
            token: Number(token),
            instanceId: words.includes("other-instance") ? instance(99) : instance(node.starts),
          },
    acknowledged: value("ack") === undefined ? [] : [Number(value("ack"))],
  };
}

const jobNamed = (name: string): string => `j-${name.padEnd(12, "0")}`;
const isLease = ({ kind }: Asked): boolean => kind === "reserve" || kind === "renew" || kind === "commit";
const isPlain = (asked: Asked): boolean => !isLease(asked);

function next(node: ModelNode, which: (asked: Asked) => boolean, take = true): Asked {
  const asked = node.pending.find(which);
  if (asked === undefined) throw new Error("nothing of this kind was asked for");
  if (take) node.pending = node.pending.filter((each) => each !== asked);
  return asked;
}

function answer(node: ModelNode, asked: Asked): Event {
  const { op } = asked;
  if (DISK_KINDS.has(asked.kind)) return node.perform(asked);
  if (asked.kind === "prepare") {
    const of = asked.job.build ?? node.disk.backup?.build ?? named("Z");
    return { kind: "prepare-done", op, prepared: { ...preparedBuild(of), minVersion: "1.0.0" } };
  }
  if (asked.kind === "hand-over") return { kind: "hand-over-done", op };
  if (asked.kind === "drain") return { kind: "drain-done", op };
  return { kind: "resume-done", op };
}

function describe(before: UpdateState, after: UpdateState): string[] {
  const shown = (state: UpdateState) => ("step" in state ? `${state.kind} (${state.step})` : state.kind);
  if (before === after) return [];
  return shown(before) === shown(after) ? [`${shown(after)}`] : [`${shown(before)} -> ${shown(after)}`];
}

function reasons(node: ModelNode, ignored: string | null): string[] {
  const { update } = node.machine;
  const { reason, failed } = updateReport(node.machine);
  const lines = ignored === null ? [] : [`ignored: ${ignored}`];
  for (const finding of node.findings) lines.push(`found: ${finding.message}`);
  node.findings = [];
  if (update.kind === "idle" && reason !== null)
    lines.push(`${failed ? "failed" : "because"}: ${reason.message}`);
  if (update.kind === "prepared" && reason !== null) lines.push(`waits: ${reason.message}`);
  return lines;
}

const commandsOf = (node: ModelNode): string[] =>
  node.commands.filter(({ kind }) => kind !== "note").map((command) => `  ${showCommand(command)}`);

/** What is said to the coordinator from now on, where it changed. */
function words_(before: Journal, node: ModelNode): string[] {
  const { journal } = node.machine.facts;
  if (before === journal) return [];
  const { kind } = journalReport(journal);
  const words = journal.finalWords.map(({ token, word }) => `${word} ${token}`).join(", ");
  return [`says: ${kind}${words === "" ? "" : `, ${words}`}${journal.hold ? ", hold" : ""}`];
}

function showCommand(command: Command): string {
  const show = SHOWN[command.kind] as ((command: Command) => string) | undefined;
  return show?.(command) ?? command.kind;
}

const betweenBuilds = ({ kind, swap }: CommandOf<"write-trial" | "flip-back" | "undo-swap">): string =>
  `${kind} ${letterOf(swap.from.build)} to ${letterOf(swap.to.build)}`;

const SHOWN: { readonly [K in CommandKind]?: (command: CommandOf<K>) => string } = {
  prepare: ({ job }) => `prepare ${job.build === null ? "dist.bak" : letterOf(job.build)}`,
  reserve: ({ build: of }) => `reserve for ${letterOf(of)}`,
  renew: ({ token }) => `renew ${token}`,
  cancel: ({ token }) => `cancel ${token}`,
  commit: ({ token, needMs }) => `commit ${token}, needs ${needMs} ms`,
  drain: ({ limitMs }) => `drain within ${limitMs} ms`,
  "write-journal": ({ journal }) => `write journal: ${showJournal(journal)}`,
  "write-trial": betweenBuilds,
  "flip-back": betweenBuilds,
  "undo-swap": betweenBuilds,
  flip: ({ swap }) => `flip dist.bak to ${letterOf(swap.from.build)}, dist to ${letterOf(swap.to.build)}`,
  quarantine: ({ entry }) =>
    `quarantine ${letterOf(entry.build)}${entry.provisional ? ", provisionally" : ""}: ${entry.reason.code}`,
  "lift-quarantine": ({ build: of }) => `lift the quarantine of ${letterOf(of)}`,
  "leave-verdict": ({ verdict }) => `leave verdict: ${verdict.reason.code}`,
  "restore-backup": ({ backup }) =>
    `restore dist.bak to ${backup === null ? "nothing" : letterOf(backup.build)}`,
  "raise-floor": ({ minVersion }) => `raise floor to ${minVersion}`,
  exit: ({ code }) => `exit ${code}`,
};

function showJournal({ phase, finalWords, hold }: Journal): string {
  const token =
    phase.kind === "committing" ? ` ${phase.token}` : "swap" in phase ? ` ${phase.swap.token}` : "";
  const words = finalWords.map((each) => `, ${each.word} ${each.token}`).join("");
  return `${phase.kind}${token}${words}${hold ? ", hold" : ""}`;
}

const milliseconds = (text: string): number => {
  const [, number, unit] = /^(\d+)(ms|s)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`"${text}" is no time`);
  return Number(number) * (unit === "s" ? 1_000 : 1);
};
