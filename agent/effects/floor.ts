import { Version } from "../../protocol/build.ts";
import { type Static, Type } from "../../protocol/schema.ts";
import { raisedFloor } from "../../protocol/trust.ts";
import type { Look } from "../core/recover.ts";
import type { Disk } from "./disk.ts";
import { writeDurably } from "./durable.ts";
import type { Layout } from "./layout.ts";
import { lookAtJson } from "./look.ts";

/** `state/floor.json`: the oldest version that this node will still install. */
export const Floor = Type.Object(
  { format: Type.Literal(1), minVersion: Version },
  { additionalProperties: false, title: "Floor" },
);
export type Floor = Static<typeof Floor>;

export const lookAtFloor = (disk: Disk, { floor }: Layout): Promise<Look<Floor>> =>
  lookAtJson(disk, floor, Floor, "floor.json");

/**
 * The floor as a version, or null when there is none. One that cannot be read must not open the way down: then
 * nothing older than what runs is installed, until a confirmed build sets it anew.
 */
export async function readFloor(disk: Disk, layout: Layout, running: string): Promise<string | null> {
  const look = await lookAtFloor(disk, layout);
  if (look.kind === "missing") return null;
  return look.kind === "found" ? look.value.minVersion : running;
}

/** Raises the floor to a release's signed `minVersion`. It never falls. */
export async function raiseFloor(disk: Disk, layout: Layout, minVersion: string): Promise<void> {
  const look = await lookAtFloor(disk, layout);
  const before = look.kind === "found" ? look.value.minVersion : null;
  const after = raisedFloor(before, minVersion);
  if (after === null || after === before) return;
  const floor: Floor = { format: 1, minVersion: after };
  await writeDurably(disk, layout.floor, `${JSON.stringify(floor)}\n`);
}
