/** Runs one history from its beginning to where everything has settled, and says whether anything was wrong on the way. */
import { DEFAULTS } from "../../protocol/defaults.ts";
import { armActs } from "./deeds.ts";
import type { History } from "./history.ts";
import { Checker } from "./invariants/checker.ts";
import { Violation } from "./invariants/violation.ts";
import { calm, settle } from "./settle.ts";
import { World, type WorldOptions } from "./world.ts";

export type Outcome = {
  readonly history: History;
  readonly failure: { readonly rule: string; readonly message: string; readonly stack: string } | null;
  readonly story: readonly string[];
  /** How often each kind of thing happened. */
  readonly seen: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly virtualMs: number;
};

export async function runHistory(history: History, options: WorldOptions): Promise<Outcome> {
  const checker = new Checker();
  const world = await World.make(history, checker, options);
  checker.watch({
    nodes: () => world.nodes.values(),
    now: () => world.time.now,
    story: world.story,
    heartbeatMs: DEFAULTS.heartbeatMs,
  });
  world.came = (node, state) => checker.came(node, state);
  world.afterStep = () => checker.check();
  let failure: Outcome["failure"] = null;
  try {
    await world.begin();
    for (const node of world.nodes.values())
      node.disk.watch = (effect, path) => checker.machines.changed(node, effect, path);
    const armed = armActs(world, (what) => checker.count(what));
    await world.pass(history.untilMs - world.time.now);
    armed.disarm();
    await calm(world);
    await settle(world, checker, (ms) => world.pass(ms));
  } catch (cause) {
    failure = failureOf(cause);
    world.story.tell("world", `FAILS: ${failure.rule}: ${failure.message}`);
  }
  await world.end();
  const { lines } = world.story;
  return {
    history,
    failure,
    story: lines,
    seen: checker.seen,
    steps: world.time.steps,
    virtualMs: world.time.now,
  };
}

function failureOf(cause: unknown): NonNullable<Outcome["failure"]> {
  if (cause instanceof Violation) return { rule: cause.rule, message: cause.message, stack: "" };
  const error = cause instanceof Error ? cause : new Error(String(cause));
  return { rule: "no-exception", message: error.message, stack: error.stack ?? "" };
}
