/**
 * Real SIGKILL before and after every point at which a node writes to its disk, a disk that fails in each way at every
 * one, recoveries cut off again at every point that is new, and the order of it all by the word of strace.
 */

import { explore } from "../../crash-points/explore.ts";
import { CODES, FAULTS, faultPoints, liveThroughFault } from "../../crash-points/fault.ts";
import { type Fixture, makeFixture } from "../../crash-points/fixture.ts";
import { createGuard } from "../../crash-points/guard.ts";
import { GUARD_TEXT } from "../../crash-points/mutations.ts";
import { killAt, NodeProcess, nthOf } from "../../crash-points/process/run.ts";
import { trace } from "../../crash-points/process/trace.ts";
import { STORIES, type Story } from "../../crash-points/story.ts";
import { type Part, shareOf } from "../part.ts";

/** One thing to try; it throws when it does not hold. */
type Try = {
  readonly what: string;
  readonly of: "explored" | "fault" | "kill" | "trace";
  readonly run: () => Promise<void>;
};

const guard = createGuard(GUARD_TEXT);

export const part: Part = {
  name: "crash-points",
  run: async (shard, print) => {
    const fixture = await makeFixture();
    const tries: Try[] = [];
    for (const story of STORIES) {
      tries.push(
        explored(fixture, story),
        ...(await faults(fixture, story)),
        ...(await kills(fixture, story)),
      );
      // What a power cut leaves is laid out anew, which is not the agent's doing.
      if (story.builds?.b?.crashes !== "machine") tries.push(traced(fixture, story));
    }
    const mine = shareOf(tries, shard);
    const failed = await runAll(mine, print);
    const many = (of: Try["of"]) => mine.filter((each) => each.of === of).length;
    print(
      `crash points: ${many("kill")} real kills, ${many("fault")} faults (${CODES.join(", ")}), ${many("explored")} stories cut off twice, ${many("trace")} under strace; ${failed} failed`,
    );
    return { passed: mine.length - failed, failed };
  },
};

/** Two at a time, since a node that is killed is a process of its own. How many failed. */
async function runAll(tries: readonly Try[], print: (line: string) => void): Promise<number> {
  const waiting = [...tries];
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        await next.run();
      } catch (cause) {
        failed += 1;
        print(`${next.what}: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
    }
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

const explored = (fixture: Fixture, story: Story): Try => ({
  what: `${story.name}, cut off twice`,
  of: "explored",
  run: async () => {
    await explore({ fixture, guard, story }, { crashes: 2, after: "new" });
  },
});

async function faults(fixture: Fixture, story: Story): Promise<Try[]> {
  const cast = { fixture, guard, story };
  return (await faultPoints(cast)).flatMap((point) =>
    FAULTS.map((fault) => ({
      what: `${story.name}, ${fault.code} at ${point.effect}`,
      of: "fault",
      run: () => liveThroughFault(cast, point, fault),
    })),
  );
}

async function kills(fixture: Fixture, story: Story): Promise<Try[]> {
  using node = new NodeProcess(fixture, story);
  const lived = await node.live();
  if (lived === null || lived.wrong !== null) throw new Error(`${story.name}: ${lived?.wrong ?? "killed"}`);
  return lived.done.flatMap(({ own, happened }, at) => {
    const kill = (when: "before" | "after"): Try => ({
      what: `${story.name}, killed ${when} effect ${at + 1}`,
      of: "kill",
      run: async () => {
        const { isKilled, where, wrong } = await killAt(fixture, story, when, nthOf(lived.done, at, when));
        if (!isKilled) throw new Error(`it was not killed: ${wrong ?? "it rested before"}`);
        if (wrong !== null) throw new Error(`${where}: ${wrong}`);
      },
    });
    return own && happened ? [kill("before"), kill("after")] : [];
  });
}

const traced = (fixture: Fixture, story: Story): Try => ({
  what: `${story.name}, under strace`,
  of: "trace",
  run: async () => {
    const { lost } = await trace(fixture, story);
    if (lost.length > 0) throw new Error(lost.join("; "));
  },
});
