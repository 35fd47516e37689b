/** Everything that preflight looks at. Pure. */
import { CHECKS, type Check } from "../../../../protocol/plan.ts";
import type { Draft } from "../draft.ts";
import type { Look } from "./check.ts";
import { fits } from "./fit.ts";
import { nobodyOnTheWay, noLeaseHeld, noOtherRollout } from "./others.ts";
import { everybodyHealthy, everybodyOnline } from "./presence.ts";
import { quorumKept } from "./quorum.ts";
import { selectionSound, somethingToDo } from "./target.ts";
import { leaderKnown, windowOpen } from "./waiting.ts";

const LOOKS: readonly Look[] = [
  noOtherRollout,
  somethingToDo,
  fits,
  everybodyOnline,
  everybodyHealthy,
  nobodyOnTheWay,
  noLeaseHeld,
  quorumKept,
  leaderKnown,
  windowOpen,
  selectionSound,
];

/** In the order of `CHECKS`: the first that refuses decides what a start is refused with. */
export const preflight = (draft: Draft): readonly Check[] =>
  LOOKS.flatMap((look) => look(draft)).sort((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
