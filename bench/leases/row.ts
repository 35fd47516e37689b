import { join } from "node:path";
import { Agent } from "undici";
import { alternate } from "../alternate.ts";
import { figure } from "../report.ts";
import type { Row } from "../row.ts";
import { quantile, spreadOf } from "../spread.ts";
import { startFleet } from "../stage.ts";
import { openRawLeases } from "./raw.ts";
import { joinAll, rate, takeTurns } from "./turns.ts";

const TURNS = 7;
/** Groups that update at the same time, three voters each. */
const GROUPS = 8;
const VOTERS = 3;
/** In every group, in every turn. */
const CYCLES = 40;

/**
 * Cycles of the lease that a coordinator can serve: several groups at once, in each one node after the other, over
 * HTTP with connections kept alive, every step durable (`synchronous=FULL`) before it is answered. Beside it, the
 * same three transactions one after the other straight on SQLite, on the same disk.
 */
export const leasesRow: Row = {
  names: ["lease-cycles"],
  seconds: 30,
  waits: false,
  measure: async (world) => {
    const { dir, atEnd } = world;
    const database = `[database]\nfile = "${join(dir, "coordinator.db")}"`;
    const fleet = await startFleet(world, { coordinator: database });
    const raw = await openRawLeases(join(dir, "raw.db"));
    atEnd(async () => raw.close());
    const dispatcher = new Agent({ keepAliveTimeout: 60_000 });
    atEnd(() => dispatcher.destroy());
    const groups = await joinAll(fleet, dispatcher, { groups: GROUPS, voters: VOTERS });
    const httpMs: number[] = [];
    const rawMs: number[] = [];
    const { a, b } = await alternate(
      TURNS,
      async () => {
        // They were silent while the other one was measured.
        await Promise.all(groups.flat().map((node) => node.sayIdle()));
        return rate(GROUPS * CYCLES, () =>
          Promise.all(groups.map((nodes) => takeTurns(nodes, CYCLES, httpMs))),
        );
      },
      () =>
        rate(GROUPS * CYCLES, async () => {
          for (let done = 0; done < GROUPS * CYCLES; done += 1) rawMs.push(timed(() => raw.cycle()));
        }),
    );
    // Without the first turn, which only warms up.
    const ninetyNine = (ms: readonly number[]): string =>
      figure(quantile(ms.slice(-TURNS * GROUPS * CYCLES), 0.99));
    return [
      {
        name: "lease-cycles",
        what: `reserve, commit, confirm over HTTP, ${GROUPS} groups at once`,
        beside: "the same three transactions on raw SQLite",
        unit: "per second",
        value: spreadOf(a),
        peer: spreadOf(b),
        bound: 0.25,
        better: "higher",
        note: `p99 of a cycle ${ninetyNine(httpMs)} ms with ${GROUPS} at once, raw ${ninetyNine(rawMs)} ms`,
      },
    ];
  },
};

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}
