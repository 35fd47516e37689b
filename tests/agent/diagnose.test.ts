import { describe, expect, it } from "vitest";
import { createDiagnoser } from "../../agent/diagnose.ts";
import { silentLog } from "../../agent/effects/log.ts";
import { createLogTail } from "../../agent/effects/log-tail.ts";
import type { Finding } from "../../protocol/finding.ts";
import type { LogLine } from "../../protocol/job.ts";

const JOB = "j-0123456789ab";
const OTHER = "j-ba9876543210";
const finding = (level: Finding["level"]): Finding => ({
  check: "disk",
  code: `disk-${level}`,
  level,
  message: `It is ${level}.`,
  hint: level === "ok" ? null : "Mend it.",
});

/** One process of an agent: its diagnoser, over logs that outlive it. */
function start(
  logs = new Map<string, string[]>(),
  look = async (): Promise<readonly Finding[]> => [finding("ok")],
) {
  const tail = createLogTail();
  const waiting: (() => void)[] = [];
  const state = { looks: 0, done: 0 };
  const diagnoser = createDiagnoser({
    look: () => {
      state.looks += 1;
      return look();
    },
    tail,
    read: async (jobId) =>
      (logs.get(jobId) ?? []).map(
        (text, index): LogLine => ({ index, at: 1, source: "agent", step: null, text }),
      ),
    write: (jobId, text) => logs.set(jobId, [...(logs.get(jobId) ?? []), text]),
    done: () => {
      state.done += 1;
      for (const each of waiting.splice(0)) each();
    },
    log: silentLog,
  });
  const done = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { diagnoser, tail, logs, state, done };
}

describe("a diagnosis", () => {
  it("writes what was found and the last lines of agent and workload, once, and says how it ended", async () => {
    const { diagnoser, tail, logs, state, done } = start(undefined, async () => [
      finding("ok"),
      finding("problem"),
    ]);
    tail.add('{"level":"info","time":"T1","jobId":"j-1","msg":"started"}\n');
    tail.add('{"level":"info","time":"T2","source":"workload","stream":"stdout","msg":"listening"}\n');
    const ended = done();
    diagnoser.wanted(JOB);
    diagnoser.wanted(JOB);
    expect(diagnoser.ended(JOB)).toBeNull();
    await ended;
    expect(logs.get(JOB)).toEqual([
      "agent doctor: 1 problem",
      "ok      disk         It is ok.",
      "PROBLEM disk         It is problem. (disk-problem)",
      "                     Mend it.",
      "The last lines of the agent:",
      '  T1 info started {"jobId":"j-1"}',
      "The last lines of the workload:",
      "  T2 listening",
      "That was all.",
    ]);
    expect(diagnoser.ended(JOB)).toMatchObject({ jobId: JOB, ok: false });
    expect(diagnoser.ended(OTHER)).toBeNull();
    diagnoser.wanted(JOB);
    expect(state).toEqual({ looks: 1, done: 1 });
    diagnoser.wanted(null);
    expect(diagnoser.ended(JOB)).toBeNull();
  });

  it("that a restart came into begins again; one that was written down is only told again", async () => {
    const logs = new Map<string, string[]>();
    const first = start(logs);
    let ended = first.done();
    first.diagnoser.wanted(JOB);
    await ended;
    const whole = [...(logs.get(JOB) ?? [])];

    const again = start(logs);
    ended = again.done();
    again.diagnoser.wanted(JOB);
    await ended;
    expect(logs.get(JOB)).toEqual(whole);
    expect(again.diagnoser.ended(JOB)).toMatchObject({ ok: true });

    logs.set(JOB, whole.slice(0, 2));
    const third = start(logs);
    ended = third.done();
    third.diagnoser.wanted(JOB);
    await ended;
    expect(logs.get(JOB)?.slice(2)).toEqual(["The agent was restarted meanwhile: it looks again.", ...whole]);
  });

  it("that is replaced by another while it looks is not told as the other's", async () => {
    const looks: ((found: readonly Finding[]) => void)[] = [];
    const { diagnoser, done } = start(undefined, () => new Promise((resolve) => looks.push(resolve)));
    diagnoser.wanted(JOB);
    await expect.poll(() => looks.length).toBe(1);
    diagnoser.wanted(OTHER);
    await expect.poll(() => looks.length).toBe(2);
    const ended = done();
    looks[0]?.([finding("problem")]);
    looks[1]?.([finding("ok")]);
    await ended;
    expect([diagnoser.ended(JOB), diagnoser.ended(OTHER)?.ok]).toEqual([null, true]);
  });
});

it("the tail of a log keeps the newest lines, and cuts long ones and what is no JSON", () => {
  const tail = createLogTail(2);
  for (const line of ["a", "b", "c".repeat(2_000)]) tail.add(line);
  expect(tail.newest("agent").map((line) => line.length)).toEqual([1, 1_000]);
  expect(tail.newest("workload")).toEqual([]);
});
