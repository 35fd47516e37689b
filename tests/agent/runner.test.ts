import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../agent/core/machine/facts.ts";
import type { WorkloadControl } from "../../agent/core/ports.ts";
import { realDisk } from "../../agent/effects/disk.ts";
import type { Log } from "../../agent/effects/log.ts";
import { type AgentParts, createAgent } from "../../agent/runner.ts";
import { Heartbeat, Hello, type Orders } from "../../protocol/frames.ts";
import { parse } from "../../protocol/parse.ts";
import { err, ok } from "../../protocol/result.ts";
import { ManualScheduler } from "./manual-scheduler.ts";
import { makeTemplate, NodeRig, type Template } from "./node-rig.ts";
import { SESSION } from "./rig-coordinator.ts";

const JOB = "j-000000000001";
let template: Template;
let rig: NodeRig;
let clock: ManualScheduler;
let logged: { level: string; fields: Record<string, unknown>; message: string }[];

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => rm(template.dir, { recursive: true }));
beforeEach(async () => {
  rig = await NodeRig.make(template);
  clock = new ManualScheduler();
  logged = [];
});
afterEach(() => rig.remove());

const keep =
  (level: string): Log["info"] =>
  (fields, message) =>
    logged.push({ level, fields: { ...fields }, message });
const log: Log = { debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };

function workload(calls: string[] = []): WorkloadControl {
  const step = (name: string) => async () => {
    calls.push(name);
    return ok(undefined);
  };
  return {
    canHandOver: true,
    drainMs: 4_000,
    health: async () => ({ healthy: true, caughtUp: true, role: "leader" }),
    handover: step("handover"),
    drain: step("drain"),
    resume: step("resume"),
    start: step("start"),
    stop: async () => {
      calls.push("stop");
    },
  };
}

const never = () => new Promise<never>(() => undefined);

function agentWith(change: Partial<AgentParts> = {}) {
  return createAgent({
    disk: realDisk,
    clock,
    scheduler: clock,
    log,
    lease: { reserve: never, renew: never, commit: never, cancel: async () => ok(undefined) },
    preparer: { prepare: async () => ok(template.b) },
    workload: workload(),
    stateDir: rig.dir,
    running: template.a.build,
    instanceId: "00000000-0000-4000-8000-000000000001",
    bootId: "boot-1",
    policy: DEFAULT_POLICY,
    trial: { tries: 3, refunds: 1 },
    healthEveryMs: 2_000,
    ...change,
  });
}

const orders = (change: Partial<Orders> = {}): Orders => ({
  type: "orders",
  session: SESSION,
  seq: 1,
  desired: {
    jobId: JOB,
    kind: "update",
    cause: "operator",
    release: "1.1.0",
    build: template.b.build,
    retry: false,
    jitterMs: 0,
  },
  turn: { jobId: JOB, peers: [] },
  waiting: null,
  confirm: null,
  acknowledged: [],
  logNext: [],
  ...change,
});

type Agent = ReturnType<typeof agentWith>;

/** Done when what the agent says of itself is as wanted. */
function comesTo(agent: Agent, isThere: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!isThere()) return;
      end();
      resolve();
    };
    const end = agent.subscribe(look);
    look();
  });
}

const reaches = (agent: Agent, state: string): Promise<void> =>
  comesTo(agent, () => agent.status().update.state === state);
const refuses = (agent: Agent): Promise<void> => comesTo(agent, () => agent.status().update.failed);

describe("an agent", () => {
  it("is the only one on its state directory", async () => {
    const first = agentWith();
    expect((await first.start()).ok).toBe(true);
    expect(await agentWith().start()).toMatchObject({ ok: false, error: { code: "already-running" } });
    first.stop();
    expect(await first.finished).toEqual({ code: 0 });
    const third = agentWith();
    expect((await third.start()).ok).toBe(true);
    third.stop();
    await third.finished;
  });

  it("starts its workload, asks how it is, and stops it at its end", async () => {
    const calls: string[] = [];
    const agent = agentWith({ workload: workload(calls) });
    await agent.start();
    expect(calls).toEqual(["start"]);
    clock.turn(2_000);
    await reaches(agent, "idle");
    expect(agent.status().health).toEqual({ healthy: true, caughtUp: true, role: "leader" });
    agent.stop();
    await agent.finished;
    expect(calls).toEqual(["start", "stop"]);
  });

  it("says what the protocol's schemas take", async () => {
    const agent = agentWith();
    await agent.start();
    const hello = {
      type: "hello",
      protocol: 1,
      platform: "linux-x64",
      runtime: "26.0.0",
      ...agent.helloParts(),
    };
    expect(parse(Hello, hello, "hello")).toMatchObject({ ok: true });
    const heartbeat = { type: "heartbeat", session: SESSION, seq: 1, ...agent.heartbeatParts() };
    expect(parse(Heartbeat, heartbeat, "heartbeat")).toMatchObject({ ok: true });
    expect(agent.helloParts()).toMatchObject({
      build: template.a.build,
      canHandOver: true,
      journal: { kind: "idle" },
      holdings: { backup: template.z.build, hold: false, quarantine: [] },
    });
    agent.stop();
    await agent.finished;
  });

  it("goes through an update to exit 75, with one line of log for each transition", async () => {
    const calls: string[] = [];
    const agent = agentWith({
      workload: workload(calls),
      lease: {
        reserve: async () => ok({ token: 7, ttlMs: 60_000 }),
        renew: never,
        commit: async ({ needMs }) => {
          calls.push(`commit ${needMs}`);
          return ok({ actWithinMs: needMs });
        },
        cancel: async () => ok(undefined),
      },
    });
    await agent.start();
    agent.sessionOpened(SESSION);
    agent.receive(orders());
    expect(await agent.finished).toEqual({ code: 75 });
    expect(calls).toEqual(["start", "handover", "commit 14000", "drain", "stop"]);
    expect(rig.running).toEqual(template.b.build);
    const ways = logged
      .filter(({ level, message }) => level === "info" && message === "transition")
      .map(
        ({ fields }) => `${String(fields.from)} > ${String(fields.to)}: ${JSON.stringify(fields.commands)}`,
      );
    expect(ways).toEqual([
      'idle > preparing: ["prepare"]',
      'preparing > reserving: ["reserve"]',
      'reserving > handing-over: ["hand-over"]',
      'handing-over > committing: ["write-journal"]',
      'committing > committing: ["commit"]',
      'committing > draining: ["drain"]',
      'draining > swapping: ["write-journal"]',
      'swapping > swapping: ["write-trial"]',
      'swapping > swapping: ["flip"]',
      'swapping > exiting: ["exit"]',
    ]);
    const texts = (await agent.logLines(JOB, 0, 100)).map(({ step }) => step);
    expect(texts).toEqual(["prepare", "reserve", "handover", "commit", "drain", "swap", "restart"]);
    expect(agent.status().job).toEqual({ jobId: JOB, end: null });
  });

  it("tells how a job ended, and that it was withdrawn", async () => {
    const fault = { code: "below-floor", message: "It is too old." };
    const agent = agentWith({ preparer: { prepare: async () => err(fault) } });
    await agent.start();
    agent.sessionOpened(SESSION);
    agent.receive(orders());
    await refuses(agent);
    expect(agent.status().job).toEqual({ jobId: JOB, end: { result: "failed", reason: fault } });
    expect(agent.heartbeatParts().update).toMatchObject({
      state: "idle",
      jobId: JOB,
      failed: true,
      reason: fault,
    });
    agent.receive(orders({ desired: null, turn: null }));
    expect(agent.heartbeatParts().update).toMatchObject({ state: "idle", jobId: null, failed: false });
    agent.stop();
    await agent.finished;
  });

  it("survives workload, lease and preparer that throw", async () => {
    const boom = async (): Promise<never> => {
      throw new Error("a bug");
    };
    const broken = agentWith({ preparer: { prepare: boom } });
    await broken.start();
    broken.receive(orders());
    await reaches(broken, "idle");
    broken.stop();
    await broken.finished;
    const agent = agentWith({
      workload: { ...workload(), handover: boom, stop: boom },
      lease: {
        reserve: async () => ok({ token: 7, ttlMs: 60_000 }),
        renew: boom,
        commit: boom,
        cancel: boom,
      },
    });
    await agent.start();
    agent.sessionOpened(SESSION);
    agent.receive(orders());
    await reaches(agent, "resuming");
    await reaches(agent, "idle");
    expect(agent.status().job).toMatchObject({ end: { result: "failed", reason: { code: "hook-failed" } } });
    agent.stop();
    expect(await agent.finished).toEqual({ code: 0 });
  });

  it("starts on a state directory in which everything is torn, and says so", async () => {
    const state = join(rig.dir, "state");
    await mkdir(join(state, "quarantine"), { recursive: true });
    await mkdir(join(state, "jobs"));
    for (const name of ["journal.json", "floor.json", "verdict", "trial", "quarantine/nonsense"]) {
      await writeFile(join(state, name), "\u0000torn");
    }
    await writeFile(join(state, "jobs", `${JOB}.jsonl`), "torn");
    await writeFile(join(state, "quarantine", template.b.build.buildHash), "");
    const agent = agentWith();
    await agent.start();
    expect(agent.status().findings.map(({ code }) => code)).toEqual([
      "journal-unreadable",
      "trial-unreadable",
      "verdict-unreadable",
      "floor-unreadable",
      "quarantine-unreadable",
    ]);
    expect(agent.status().update.state).toBe("idle");
    expect(agent.status().holdings.quarantine).toMatchObject([{ build: template.b.build }]);
    expect(rig.running).toEqual(template.a.build);
    agent.receive(orders());
    await refuses(agent);
    expect(agent.status().job).toMatchObject({ end: { result: "failed", reason: { code: "quarantined" } } });
    agent.stop();
    await agent.finished;
  });
});
