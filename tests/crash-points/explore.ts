/**
 * Every crash of a story: it is lived once, and after each effect, and whenever the coordinator has learnt something,
 * it is noted what a crash at that instant may leave. From each of those the node is started again, by the real guard
 * and the real recovery, and must come to where the story ends. What those lives do has crash points of its own, which
 * are tried in turn.
 *
 * States that are equal are lived from once: the disk, what the coordinator knows, and the story are all there is.
 */
import { RigCoordinator } from "../agent/rig-coordinator.ts";
import { type Effect, showEffect, showSite } from "./effect.ts";
import type { Fixture } from "./fixture.ts";
import type { Guard } from "./guard.ts";
import { whatIsBroken } from "./invariants.ts";
import { Node } from "./node.ts";
import { rebooted } from "./parts.ts";
import { temporaryDirectory } from "./place.ts";
import { whatIsUnsettled } from "./settled.ts";
import { stateKey } from "./state-key.ts";
import { andThenAnUpdate, type Story } from "./story.ts";
import { textAt } from "./tree.ts";
import { Unsynced } from "./unsynced.ts";
import type { NodeState, Watch, Who } from "./watch.ts";

export type Depth = {
  /** How many crashes one node may have. */
  readonly crashes: number;
  /** `new`: of what is done after a crash, only points of a kind not seen in that situation are tried. */
  readonly after: "all" | "new";
  /** The latest crashes first, where one that is found is all that is asked. */
  readonly latestFirst?: true;
};

/** One point of a story as it goes without a crash, or a kind of point that only a recovery has. */
export type Site = { readonly who: Who; readonly site: string };

export type Explored = {
  /** Points of the story itself, less those that another story has. */
  readonly points: number;
  /** What they are, and how often, those of recoveries included as kinds. */
  readonly sites: ReadonlyMap<string, number>;
  /** Points at which a recovery was cut off again. */
  readonly recoveryPoints: number;
  /** Different remains of crashes that a node was started from. */
  readonly starts: number;
  readonly lives: number;
};

export type ToExplore = {
  readonly fixture: Fixture;
  readonly guard: Guard;
  readonly story: Story;
  /** Spoils the disk of the agent, to see that it is found. */
  readonly mutate?: NonNullable<Watch["mutate"]>;
};

type Start = { readonly from: NodeState; readonly trail: readonly string[] };

/**
 * Tries all of them. Throws a `CrashFound` for the first that does not end as it must. Of several stories that share
 * `situations`, the later ones do not cut off again what recoveries of the earlier ones were cut off in.
 */
export async function explore(
  { fixture, guard, story, mutate }: ToExplore,
  depth: Depth,
  situations = new Set<string>(),
): Promise<Explored> {
  using place = temporaryDirectory("crash");
  const tree = new Map(fixture.base);
  story.set?.(tree, fixture);
  const coordinator = new RigCoordinator();
  story.order(coordinator, fixture);
  const disk = Unsynced.of(tree);
  const queue: Start[] = [{ from: { disk, coordinator, bootId: "boot-1", uptime: 0, stops: 0 }, trail: [] }];
  /** What a node was to be started from, and what it was. One that comes to where another has been ends as that did. */
  const [queued, lived] = [new Set<string>(), new Set<string>()];
  /** Whether it was not in a set yet, with as many crashes still to come. */
  const isNew = (set: Set<string>, state: string, crashesBefore: number): boolean => {
    const key = `${Math.min(crashesBefore, depth.crashes)} ${state}`;
    if (set.has(key)) return false;
    set.add(key);
    return true;
  };
  const rested = new Set<string>();
  const sites = new Map<string, number>();
  const count = { points: 0, recoveryPoints: 0, starts: 0, lives: 0 };

  const take = () => (depth.latestFirst ? queue.pop() : queue.shift());
  for (let next = take(); next !== undefined; next = take()) {
    const { trail } = next;
    const level = trail.length;
    if (level > 0) count.starts += 1;
    const isTriedElsewhere = (node: Node): boolean =>
      node.disk.linkAt("dist") !== null &&
      story.isOwn?.({ coordinator: node.coordinator, dist: node.running }) === false;

    const wanted = (node: Node, effect: Effect | null, who: Who): boolean => {
      if (level >= depth.crashes) return false;
      if (level === 0 && isTriedElsewhere(node)) return false;
      if (level === 0 || depth.after === "all") return true;
      const situation = `${who} ${effect === null ? "heard" : showSite(effect)} ${situationOf(node)}`;
      if (situations.has(situation)) return false;
      situations.add(situation);
      return true;
    };

    const after = (node: Node, effect: Effect | null, who: Who): void => {
      if (effect !== null && (level > 0 || !isTriedElsewhere(node))) {
        const site = `${who} ${showSite(effect)}`;
        if (level === 0) {
          count.points += 1;
          sites.set(site, (sites.get(site) ?? 0) + 1);
        } else if (!sites.has(site)) sites.set(site, 0);
      }
      const phase = node.coordinator.lease?.phase ?? "free";
      if (isFlip(effect) && phase !== "in-flight")
        find(`dist was flipped while the lease is ${phase}`, trail);
      if (!wanted(node, effect, who)) return;
      if (level > 0) count.recoveryPoints += 1;
      photograph(node, effect === null ? "the coordinator heard of it" : showEffect(effect));
    };

    /** Told here, and not thrown in the agent's face, which would take it for a fault of the disk. */
    const found: CrashFound[] = [];
    const find = (what: string, crashes: readonly string[]): void => {
      found.push(new CrashFound(what, crashes, node));
    };

    const photograph = (node: Node, what: string, remains = node.disk.remains()): void => {
      for (const { how, reboot, disk: left } of remains) {
        const crash = `${how} after ${node.points} ${what}`;
        const broken = whatIsBroken(left.tree, story.damaged ? fixture.b.link : null);
        if (broken !== null) find(broken, [...trail, crash]);
        const { coordinator, stops, bootId, uptime } = node;
        const now = { coordinator, stops, bootId, uptime, disk: left };
        const state = reboot ? { ...now, bootId: rebooted(left), uptime: 0 } : now;
        if (!isNew(queued, stateKey(state), level + 1)) continue;
        const from = { ...state, disk: left.copy(), coordinator: coordinator.copy() };
        queue.push({ from, trail: [...trail, crash] });
      }
    };

    /** A write may have been done by half. */
    const before = (node: Node, effect: Effect): void => {
      if (effect.kind !== "write" || effect.data.length < 2 || level > 0 || !wanted(node, effect, "agent"))
        return;
      photograph(node, `, in the middle of ${showEffect(effect)}`, [
        node.disk.halfWritten(effect.path, effect.data),
      ]);
    };

    const own = new Set<string>();
    const begins = (node: Node): boolean => {
      const key = stateKey(node);
      if (own.size > 0) count.lives += 1;
      if (own.has(key)) find("it goes round in circles", trail);
      own.add(key);
      return isNew(lived, key, level);
    };

    const node = new Node(
      { fixture, story, dir: place.path, guard, watch: { before, after, begins, ...(mutate && { mutate }) } },
      next.from,
    );
    try {
      const rests = await node.untilRest();
      if (found[0] !== undefined) throw found[0];
      if (!rests) continue;
    } catch (cause) {
      if (found[0] !== undefined) throw found[0];
      throw new CrashFound(cause instanceof Error ? cause.message : String(cause), trail, node, { cause });
    }
    const wrong = whatIsUnsettled(node) ?? whatIsBroken(node.disk.tree);
    if (wrong !== null) throw new CrashFound(wrong, trail, node);
    const key = stateKey(node);
    if (rested.has(key)) continue;
    rested.add(key);
    await updateOnceMore(node, trail, place.path, guard);
  }
  return { ...count, sites };
}

/** Throws when an update does not succeed any more. */
export async function updateOnceMore(
  rested: Node,
  trail: readonly string[],
  dir: string,
  guard: Guard,
): Promise<void> {
  const { fixture } = rested;
  const story = andThenAnUpdate(rested);
  const from = rested.state;
  story.order(from.coordinator, fixture);
  const node = new Node({ fixture, story, dir, guard, watch: {} }, from);
  await node.untilRest();
  const wrong = whatIsUnsettled(node) ?? whatIsBroken(node.disk.tree);
  if (wrong !== null) throw new CrashFound(wrong, trail, node);
}

/** A crash that a node did not recover from, told so that it can be understood and tried again. */
export class CrashFound extends Error {
  readonly what: string;
  readonly trail: readonly string[];

  constructor(what: string, trail: readonly string[], node: Node, options?: ErrorOptions) {
    const told = node.told.slice(-12).map((line) => `    ${line}`);
    const crashes = trail.length === 0 ? ["no crash at all"] : trail;
    super(
      [`${node.story.name}: ${what}`, ...crashes.map((each) => `  ${each}`), "  then", ...told].join("\n"),
      options,
    );
    this.what = what;
    this.trail = trail;
  }
}

/** `dist` changes under a lease in flight and no other. */
const isFlip = (effect: Effect | null): boolean => effect?.kind === "rename" && effect.path === "dist";

/** What a start has to make sense of. */
function situationOf({ disk: { tree }, running, fixture }: Node): string {
  const { phase } = JSON.parse(textAt(tree, "state/journal.json") ?? '{"phase":{"kind":"none"}}') as {
    phase: { kind: string };
  };
  const condemned = tree.has(`state/quarantine/${fixture.b.build.buildHash}`);
  return `${phase.kind} ${running} ${tree.has("state/trial")} ${condemned} ${tree.has("state/verdict")}`;
}
