import { beforeAll, expect, test } from "vitest";
import { CrashFound, explore } from "./explore.ts";
import { type Fixture, makeFixture } from "./fixture.ts";
import { createGuard } from "./guard.ts";
import { GUARD_TEXT, MUTATIONS } from "./mutations.ts";
import { storyOf } from "./story.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
});

test.each(MUTATIONS)("it is found when $what", { timeout: 240_000 }, async ({ story: name, disk, guard }) => {
  const story = storyOf(name);
  const spoiled = createGuard(guard?.(GUARD_TEXT) ?? GUARD_TEXT);
  const toExplore = { fixture, guard: spoiled, story, ...(disk && { mutate: disk }) };
  await expect(explore(toExplore, { crashes: 1, after: "new", latestFirst: true })).rejects.toThrow(
    CrashFound,
  );
});
