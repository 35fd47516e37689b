import type { World } from "../world.ts";
import type { ApiClient } from "./client.ts";
import { fleetEvents } from "./events.ts";

export type Heard = "news" | "woken";

/** That something is new in the fleet, without saying what: whoever waits for it looks at the whole again. */
export type News = {
  /** Resolves with the next of them: something is new, or somebody called `wake`. */
  next(): Promise<Heard>;
  wake: () => void;
  /** Whether the coordinator tells; otherwise one has to look by oneself. */
  isTold(): boolean;
  stop(): void;
};

/** What a rollout's picture is made of. */
const KINDS = "rollout,rollout-node,lease,job";
const AGAIN_MS = 1_000;

/** Follows the coordinator's events in the background; where there are none, or none any more, nothing is heard. */
export function followNews(world: World, api: ApiClient): News {
  const stopped = new AbortController();
  let told = false;
  let waiting = Promise.withResolvers<Heard>();
  const say = (heard: Heard): void => {
    waiting.resolve(heard);
    waiting = Promise.withResolvers();
  };

  const follow = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const events = await fleetEvents(api, { kinds: KINDS, signal: stopped.signal });
      // Refused for good: an older coordinator has no such stream.
      if (!events.ok && events.error.status !== undefined && events.error.status < 500) return;
      if (events.ok) {
        told = true;
        say("news");
        await reading(events.value, () => say("news"));
        told = false;
        say("news");
      }
      await world.sleep(AGAIN_MS, stopped.signal);
    }
  };
  // Without the stream it is looked more often: nothing is lost by its end, whatever it was.
  follow().catch(() => undefined);

  return {
    next: () => waiting.promise,
    wake: () => say("woken"),
    isTold: () => told,
    stop: () => stopped.abort(),
  };
}

/** Until the stream ends or breaks. */
async function reading(news: AsyncIterable<unknown>, heard: () => void): Promise<void> {
  try {
    for await (const _ of news) heard();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
