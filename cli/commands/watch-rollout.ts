import { LeaseView } from "../../protocol/lease.ts";
import { Node } from "../../protocol/node.ts";
import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import { Rollout } from "../../protocol/rollout.ts";
import { type ApiClient, type ApiFault, path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { screen } from "../show/redraw.ts";
import { type RolloutMoment, rolloutChanges, rolloutPicture } from "../show/rollout.ts";
import { clockTime } from "../show/time.ts";
import type { World } from "../world.ts";
import { waitingFor } from "./wait.ts";

/** Five looks a second at most: more than anybody can read. */
const LOOK_MS = 250;

/**
 * Shows a rollout until it has ended, redrawing on a terminal and line by line elsewhere, and goes on when the
 * coordinator restarts. Answers the rollout as it ended.
 */
export async function watchRollout(
  world: World,
  api: ApiClient,
  id: string,
  timeoutSeconds: number | undefined,
): Promise<Rollout> {
  const waiting = waitingFor(world, timeoutSeconds, `rollout ${id}`);
  const drawn = screen(world.err);
  let before: RolloutMoment | null = null;
  for (;;) {
    const moment: RolloutMoment = await lookAt(world, api, id, waiting.patiently);
    if (world.err.isTerminal) drawn.show(rolloutPicture(world.colors, moment));
    else {
      for (const line of rolloutChanges(before, moment))
        world.err.write(`${clockTime(moment.now)} ${line}\n`);
    }
    if (isOver(moment.rollout)) return moment.rollout;
    before = moment;
    await waiting.wait(LOOK_MS);
  }
}

async function lookAt(
  world: World,
  api: ApiClient,
  id: string,
  patiently: ReturnType<typeof waitingFor>["patiently"],
): Promise<RolloutMoment> {
  const rollout = await patiently(() => api.call({ path: path("v1", "rollouts", id), answer: Rollout }));
  return momentOf(api, rollout, world.now(), patiently);
}

type Must = <T>(call: () => Promise<Result<T, ApiFault>>) => Promise<T>;

/** A rollout with what surrounds it: its nodes as they are, and the lease if it is of one group. */
export async function momentOf(
  api: ApiClient,
  rollout: Rollout,
  now: number,
  must: Must,
): Promise<RolloutMoment> {
  const groups = [...new Set(rollout.nodes.map((node) => node.group))];
  const [group] = groups;
  if (group === undefined || groups.length > 1) {
    return {
      rollout,
      lease: null,
      nodes: await must(() => everything(api, ["v1", "nodes"], "nodes", Node)),
      now,
    };
  }
  const [lease, nodes] = await Promise.all([
    must(() => api.call({ path: path("v1", "groups", group, "lease"), answer: LeaseView })),
    must(() => everything(api, ["v1", "nodes"], "nodes", Node, { group })),
  ]);
  return { rollout, lease, nodes, now };
}

/** Nothing more happens by itself. */
export const isOver = ({ status }: Rollout): boolean =>
  status === "completed" || status === "halted" || status === "cancelled" || status === "failed";

/** The failure that a rollout ended in, for the exit status; null when it completed. */
export function failureOf(rollout: Rollout): Fault | null {
  if (rollout.status === "completed" || !isOver(rollout)) return null;
  const why = rollout.reason === null ? "." : `: ${rollout.reason.message}`;
  return {
    code: rollout.status,
    message: `Rollout ${rollout.id} ${rollout.status === "cancelled" ? "was cancelled" : rollout.status}${why}`,
    hint: "Nodes that were not touched are as they were. What a node did: baton jobs log JOB",
  };
}

/** Throws `FaultError` with the status as its code unless the rollout completed. */
export function expectCompleted(rollout: Rollout): void {
  const failure = failureOf(rollout);
  if (failure !== null) throw new FaultError(failure);
}
