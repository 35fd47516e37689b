/**
 * A disk that fails: at one effect of a story, once or from then on until the process has been started again. Whatever
 * it does to the story, the node ends on the old build or on the new one, whole, free, and fit for the next update.
 */
import { RigCoordinator } from "../agent/rig-coordinator.ts";
import { type Effect, type EffectKind, showEffect } from "./effect.ts";
import { CrashFound, updateOnceMore } from "./explore.ts";
import type { Fixture } from "./fixture.ts";
import type { Guard } from "./guard.ts";
import { whatIsBroken } from "./invariants.ts";
import { Node } from "./node.ts";
import { temporaryDirectory } from "./place.ts";
import { whatIsLeftOver } from "./settled.ts";
import type { Story } from "./story.ts";
import { Unsynced } from "./unsynced.ts";

export const CODES = ["ENOSPC", "EIO", "EROFS"] as const;
export type Code = (typeof CODES)[number];
export type Fault = { readonly code: Code; readonly lasting: boolean };

export const FAULTS: readonly Fault[] = CODES.flatMap((code) => [
  { code, lasting: false },
  { code, lasting: true },
]);

/** Where it fails: the nth effect of the agent, or the nth command of the guard. */
export type FaultPoint = { readonly who: "agent" | "guard"; readonly nth: number; readonly effect: string };

export type KnownPoint = FaultPoint & { readonly kind: EffectKind | "command" };

export type Cast = { readonly fixture: Fixture; readonly guard: Guard; readonly story: Story };

/** How often a process whose disk fails for good is waited for. */
const PATIENCE = 40;

/** The points of a story while nothing fails, less those that another story has. */
export async function faultPoints(cast: Cast): Promise<KnownPoint[]> {
  using place = temporaryDirectory("points");
  const points: KnownPoint[] = [];
  let nth = 0;
  const node = begin(cast, place.path, {
    before: ({ coordinator, running }, effect, who) => {
      if (who === "guard") return;
      nth += 1;
      if (cast.story.isOwn?.({ coordinator, dist: running }) === false) return;
      points.push({ who, nth, effect: showEffect(effect), kind: effect.kind });
    },
  });
  await node.untilRest();
  for (let command = 1; command <= node.guardCommands; command++) {
    points.push({ who: "guard", nth: command, effect: `command ${command}`, kind: "command" });
  }
  return points;
}

/** Throws a `CrashFound` when it does not end as it must. */
export async function liveThroughFault(told: Cast, point: FaultPoint, fault: Fault): Promise<void> {
  const { fixture, guard } = told;
  const story = { ...told.story, mayCondemnZ: told.story.endsOn === "z" };
  const cast = { fixture, guard, story };
  using place = temporaryDirectory("fault");
  let nth = 0;
  let failing = false;
  let isOver = false;
  const found: CrashFound[] = [];
  const trail = [
    `${fault.code}${fault.lasting ? " from then on" : ""} at ${point.who} ${point.nth} ${point.effect}`,
  ];
  const node = begin(cast, place.path, {
    before: (_, effect, who) => {
      if (who === "guard" || isOver) return;
      nth += 1;
      if (point.who === "agent" && nth === point.nth) failing = fault.lasting;
      else if (!failing || !isHit(fault.code, effect)) return;
      throw Object.assign(new Error(`${fault.code}: ${showEffect(effect)}`), {
        code: fault.code,
        syscall: effect.kind,
      });
    },
    beforeGuard: ({ guardCommands }) => {
      if (isOver) return null;
      if (failing) return fault.code === "ENOSPC" ? null : { nth: 1, lasting: true };
      const nth = point.nth - guardCommands;
      if (point.who === "agent" || nth < 1) return null;
      return { nth, lasting: fault.lasting };
    },
    kills: (_, turns) => {
      if (!failing || turns < PATIENCE) return false;
      failing = false;
      isOver = true;
      return true;
    },
    begins: ({ lives }) => {
      if (failing && lives > 6) {
        failing = false;
        isOver = true;
      }
      return true;
    },
    after: (changed, effect) => {
      if (effect?.kind !== "rename" && effect?.kind !== "unlink" && effect?.kind !== "rmdir") return;
      const broken = whatIsBroken(changed.disk.tree, story.damaged ? fixture.b.link : null);
      if (broken !== null) found.push(new CrashFound(broken, trail, node));
    },
  });
  try {
    await node.untilRest();
    failing = false;
    isOver = true;
    await node.untilRest();
  } catch (cause) {
    if (found[0] !== undefined) throw found[0];
    throw new CrashFound(cause instanceof Error ? cause.message : String(cause), trail, node, { cause });
  }
  if (found[0] !== undefined) throw found[0];
  const isDamaged = story.damaged === true && node.running !== story.endsOn;
  const wrong =
    whatIsBroken(node.disk.tree, isDamaged ? fixture.b.link : null) ??
    whatIsWrong(node) ??
    whatIsLeftOver(node);
  if (wrong !== null) throw new CrashFound(wrong, trail, node);
  await updateOnceMore(node, trail, place.path, guard);
}

function begin(
  { fixture, guard, story }: Cast,
  dir: string,
  watch: ConstructorParameters<typeof Node>[0]["watch"],
) {
  const tree = new Map(fixture.base);
  story.set?.(tree, fixture);
  const coordinator = new RigCoordinator();
  story.order(coordinator, fixture);
  const from = { disk: Unsynced.of(tree), coordinator, bootId: "boot-1", uptime: 0, stops: 0 };
  return new Node({ fixture, story, dir, guard, watch }, from);
}

/** A full disk still lets go of what is there, and moves it about; the others do nothing any more. */
const isHit = (code: Code, { kind }: Effect): boolean =>
  code !== "ENOSPC" || ["create", "write", "mkdir", "symlink"].includes(kind);

/** It is on the build that the story ends on, or where it began; and what it said is what is so. */
function whatIsWrong({ running, story, coordinator: { words, lease }, disk, fixture }: Node): string | null {
  if (lease !== null) return `the lease is ${lease.phase}`;
  if (running !== story.endsOn && running !== "a") return `dist names ${running}`;
  const isConfirmed = words.includes("confirmed");
  if (isConfirmed !== (running !== "a"))
    return `dist names ${running}, and the words are ${words.join(", ")}`;
  const condemned = disk.tree.has(`state/quarantine/${fixture.b.build.buildHash}`);
  if (words.includes("rolled-back") && story.endsOn !== "z" && !condemned)
    return "the build is not quarantined";
  return null;
}
