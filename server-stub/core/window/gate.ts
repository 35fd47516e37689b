/** Whether anybody in a group may begin to be disrupted right now, windows and freezes considered. Pure. */
import type { GroupName } from "../../../protocol/names.ts";
import type { FleetPolicy, Freeze, Window } from "../../../protocol/policy.ts";
import type { DurationMs, EpochMs } from "../../../protocol/time.ts";
import type { Denied } from "../lease/view.ts";
import { isOpen, nextOpening } from "./window.ts";

/** Whose gate it is; null windows are the fleet's. */
export type Gated = {
  readonly name: GroupName;
  readonly windows: readonly Window[] | null;
  readonly freeze: Freeze | null;
};

/** A policy may change at any time, so nobody is sent away for longer. */
const MAX_WAIT_MS: DurationMs = 300_000;

/**
 * Null when the gate is open. `now` is the wall clock, which windows are about. What is in flight never passes it
 * again. Denials: `paused` (frozen), `outside-window`.
 */
export function gateOf(
  fleet: Pick<FleetPolicy, "windows" | "freeze">,
  group: Gated,
  now: EpochMs,
): Denied | null {
  return (
    denyFrozen("The fleet", standing(fleet.freeze, now), now) ??
    denyFrozen(`Group ${group.name}`, standing(group.freeze, now), now) ??
    denyClosed(group.windows ?? fleet.windows, now)
  );
}

/** A freeze that has run out has lifted itself. */
export const standing = (freeze: Freeze | null, now: EpochMs): Freeze | null =>
  freeze === null || (freeze.until !== null && freeze.until <= now) ? null : freeze;

function denyFrozen(whose: string, freeze: Freeze | null, now: EpochMs): Denied | null {
  if (freeze === null) return null;
  const { reason, by, until } = freeze;
  const how = until === null ? "until it is lifted" : `until ${inUtc(until)}`;
  return {
    code: "paused",
    message: `${whose} is frozen by ${by} ${how}: ${reason}`,
    hint: "It goes on by itself once the freeze is over.",
    context: { by, until },
    retryAfterMs: until === null ? MAX_WAIT_MS : Math.min(MAX_WAIT_MS, until - now),
  };
}

function denyClosed(windows: readonly Window[], now: EpochMs): Denied | null {
  if (isOpen(windows, now)) return null;
  const { opensAt, timezone } = nextOpening(windows, now);
  const opens =
    opensAt === null || timezone === null
      ? "It does not open again."
      : `It opens next at ${inZone(opensAt, timezone)} (${inUtc(opensAt)}).`;
  return {
    code: "outside-window",
    message: `The maintenance window is closed. ${opens}`,
    hint: "It goes on by itself once the window is open.",
    context: { opensAt, timezone },
    retryAfterMs: opensAt === null ? MAX_WAIT_MS : Math.min(MAX_WAIT_MS, opensAt - now),
  };
}

/** As people in that zone write it: 2026-03-29 03:00 Europe/Berlin. */
function inZone(at: EpochMs, timezone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);
  return `${local.toPlainDate().toString()} ${local.toPlainTime().toString({ smallestUnit: "minute" })} ${timezone}`;
}

const inUtc = (at: EpochMs): string =>
  Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: "second" });
