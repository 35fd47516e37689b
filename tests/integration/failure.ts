import { Play } from "./play.ts";
import type { Scenario } from "./scenario.ts";

/** How much of what happened before is shown with what failed. */
const LINES = 60;

/** Plays it: null, or what was not as the scenario says, where, and what had happened before. */
export async function failureOf({ fleet, story }: Scenario): Promise<string | null> {
  const play = await Play.begin(fleet);
  try {
    await story(play);
    return null;
  } catch (cause) {
    const lines = play.world.story.lines.slice(-LINES);
    return [cause instanceof Error ? cause.stack : String(cause), ...lines].join("\n");
  } finally {
    await play.end();
  }
}
