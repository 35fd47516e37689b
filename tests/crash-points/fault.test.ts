import { beforeAll, expect, test } from "vitest";
import { FAULTS, type Fault, faultPoints, type KnownPoint, liveThroughFault } from "./fault.ts";
import { type Fixture, makeFixture } from "./fixture.ts";
import { createGuard } from "./guard.ts";
import { GUARD_TEXT } from "./mutations.ts";
import { STORIES } from "./story.ts";

const guard = createGuard(GUARD_TEXT);
let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
});

const TOLD = ["a good update", "a new build that is never healthy"];

/** One point of each kind for each way to fail, another one for each; `test:proof` takes all of them. */
test.each(STORIES.filter(({ name }) => TOLD.includes(name)))(
  "$name, on a disk that fails",
  { timeout: 240_000 },
  async (story) => {
    const cast = { fixture, guard, story };
    const chosen = choose(await faultPoints(cast));
    expect(chosen.length).toBeGreaterThan(40);
    for (const { point, fault } of chosen) await liveThroughFault(cast, point, fault);
  },
);

function choose(points: readonly KnownPoint[]): { point: KnownPoint; fault: Fault }[] {
  const kinds = [...new Set(points.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const alike = points.filter((point) => point.kind === kind);
    return FAULTS.flatMap((fault, nth) => {
      const point = alike[Math.floor((nth * alike.length) / FAULTS.length)];
      return point === undefined ? [] : [{ point, fault }];
    });
  });
}
