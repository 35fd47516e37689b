import { type Command, Option } from "commander";
import { EVENT_KINDS, type FleetEvent } from "../../protocol/event.ts";
import { type FleetNews, fleetEvents } from "../api/events.ts";
import { eventLine } from "../show/event.ts";
import { clockTime } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, countOption, leaf, secondsOption, someOf, wantsJson } from "./leaf.ts";
import { waitingFor } from "./wait.ts";

type Options = { kind?: string[]; since?: string; count?: number; timeout?: number };

const AGAIN_MS = 1_000;

/** `baton events`: what changes, as it does. */
export const eventsCommand = (world: World): Command =>
  leaf("events", "what changes in the fleet, as it does, a line each; until Ctrl-C")
    .addOption(someOf(new Option("--kind <kind>", "only of this kind, or of these"), EVENT_KINDS))
    .option("--since <position>", "also those since then: the position of an event that --json has told")
    .option("--count <n>", "end after so many", countOption)
    .option("--timeout <time>", "end after this time, with exit 4 (90, 15m)", secondsOption)
    .action(async (options: Options, command: Command) => {
      const api = await apiOf(world, command);
      const waiting = waitingFor(world, options.timeout, "events");
      const kinds = options.kind?.join(",");
      const enough = new AbortController();
      const signal = AbortSignal.any([world.interrupted, enough.signal]);
      let last = options.since;
      let left = options.count ?? Number.POSITIVE_INFINITY;
      const show = (news: FleetNews): void => {
        if (news.position !== "") last = news.position;
        left--;
        write(world, news, wantsJson(command));
      };
      try {
        for (;;) {
          const events = await waiting.patiently(() => fleetEvents(api, { since: last, kinds, signal }));
          await during(
            waiting,
            reading(events, show, () => left > 0),
          );
          if (left <= 0) return;
          await waiting.wait(AGAIN_MS);
        }
      } finally {
        enough.abort();
      }
    });

/** Until the stream ends; the time runs meanwhile. */
async function during<T>(waiting: ReturnType<typeof waitingFor>, read: Promise<T>): Promise<T> {
  for (;;) {
    const ended = await waiting.wait(
      AGAIN_MS,
      read.then((value) => ({ value })),
    );
    if (ended !== undefined) return ended.value;
  }
}

/** Until the stream ends or breaks. */
async function reading(
  events: AsyncIterable<FleetNews>,
  show: (news: FleetNews) => void,
  goOn: () => boolean,
): Promise<void> {
  try {
    for await (const news of events) {
      show(news);
      if (!goOn()) return;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

function write({ out, colors }: World, news: FleetNews, json: boolean): void {
  if (news.kind === "reset") {
    out.write(
      json
        ? `${JSON.stringify({ reset: true, position: news.position })}\n`
        : `${colors.yellow("Events are missing here: what you watch is to be read anew.")}\n`,
    );
    return;
  }
  const { event } = news;
  out.write(json ? `${JSON.stringify({ ...event, position: news.position })}\n` : `${line(colors, event)}\n`);
}

const line = (colors: World["colors"], event: FleetEvent): string =>
  `${colors.dim(clockTime(event.at))} ${event.kind.padEnd(12)} ${eventLine(event)}`;
