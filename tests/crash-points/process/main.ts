/**
 * A node as a process of its own on a real disk: the real agent, with the real port below it, and the guard before it.
 * It goes on from what lies in the directory until it rests, or ends itself by SIGKILL before or after its nth effect.
 *
 *   node main.ts DIRECTORY
 *
 * DIRECTORY/node is the node's; fixture, state.json and orders.json lie beside. What the coordinator knows is written
 * down before the kill, since it outlives the node.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RigCoordinator } from "../../agent/rig-coordinator.ts";
import { type Effect, showEffect } from "../effect.ts";
import { unpackFixture } from "../fixture.ts";
import { createGuard } from "../guard.ts";
import { whatIsBroken } from "../invariants.ts";
import { GUARD_TEXT, MUTATIONS } from "../mutations.ts";
import { Node } from "../node.ts";
import { whatIsUnsettled } from "../settled.ts";
import { andThenAnUpdate, storyOf } from "../story.ts";
import { digest, readTree } from "../tree.ts";
import { Unsynced } from "../unsynced.ts";
import type { Watch } from "../watch.ts";
import type { Done, Orders } from "./orders.ts";
import { countedRealDisk } from "./real-disk.ts";

const place = process.argv[2] ?? "";
const dir = join(place, "node");
const orders = JSON.parse(readFileSync(join(place, "orders.json"), "utf8")) as Orders;
const { coordinator, ...state } = JSON.parse(readFileSync(join(place, "state.json"), "utf8")) as {
  coordinator: object;
  bootId: string;
  uptime: number;
  stops: number;
};
const fixture = unpackFixture(readFileSync(join(place, "fixture")));
const story = storyOf(orders.story);

const remember = ({ coordinator, bootId, uptime, stops }: Node): void =>
  writeFileSync(join(place, "state.json"), JSON.stringify({ coordinator, bootId, uptime, stops }));

/** Effects may overlap: each keeps its number. */
const numbers = new Map<Effect, number>();
let begun = 0;
let happened = 0;
const done: Done[] = [];
const killIfTold = (node: Node, when: Orders["when"], effect: Effect): void => {
  if (orders.when !== when || orders.nth !== (when === "before" ? begun : happened)) return;
  remember(node);
  writeFileSync(join(place, "killed"), `${when} ${orders.nth} ${showEffect(effect)}`);
  process.kill(process.pid, "SIGKILL");
};
const spoil = MUTATIONS.find(({ what }) => what === orders.spoiled)?.disk;
const watch: Watch = {
  before: (node, effect, who) => {
    begun += 1;
    numbers.set(effect, begun);
    const { coordinator, running } = node;
    done.push({
      kind: `${who} ${effect.kind}`,
      happened: false,
      own: story.isOwn?.({ coordinator, dist: running }) !== false,
    });
    killIfTold(node, "before", effect);
  },
  after: (node, effect) => {
    if (effect === null) return;
    const nth = numbers.get(effect) ?? 0;
    const it = done[nth - 1];
    if (it !== undefined) done[nth - 1] = { ...it, happened: true };
    happened += 1;
    killIfTold(node, "after", effect);
  },
  ...(spoil && { mutate: spoil }),
};
const guard = createGuard(GUARD_TEXT);
const ground = countedRealDisk();
const begin = readTree(dir);

/** What is wrong in the end, or null. */
async function live(): Promise<string | null> {
  const broken = whatIsBroken(begin, story.damaged ? fixture.b.link : null);
  if (broken !== null) return broken;
  const from = {
    ...state,
    coordinator: RigCoordinator.restore(JSON.stringify(coordinator)),
    disk: Unsynced.of(begin),
  };
  const node = new Node({ fixture, story, dir, guard, watch, ground }, from);
  if (!(await node.untilRest())) return "it was not let live";
  remember(node);
  const wrong = whatIsUnsettled(node) ?? whatIsNotSo(node);
  if (wrong !== null || !orders.update) return wrong;
  const next = andThenAnUpdate(node);
  const again = node.state;
  next.order(again.coordinator, fixture);
  const updated = new Node({ fixture, story: next, dir, guard, watch: {}, ground }, again);
  await updated.untilRest();
  return whatIsUnsettled(updated) ?? whatIsNotSo(updated);
}

/** What was told of the disk is what lies on it. */
const whatIsNotSo = ({ disk }: Node): string | null =>
  digest(disk.tree) === digest(readTree(dir)) ? null : "what lies on the disk is not what was written";

rmSync(join(place, "killed"), { force: true });
const wrong = await live();
writeFileSync(join(place, "done"), JSON.stringify({ wrong, done }));
