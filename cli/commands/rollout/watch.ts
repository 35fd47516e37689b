import { Group } from "../../../protocol/group.ts";
import { Job } from "../../../protocol/job.ts";
import { LeaseView } from "../../../protocol/lease.ts";
import { Rollout } from "../../../protocol/rollout.ts";
import { type ApiClient, path } from "../../api/client.ts";
import { everything } from "../../api/everything.ts";
import { followNews, type Heard, type News } from "../../api/news.ts";
import { screen } from "../../show/redraw.ts";
import { rolloutChanges, rolloutTitle } from "../../show/rollout/changes.ts";
import { isAtWork } from "../../show/rollout/marks.ts";
import type { RolloutMoment } from "../../show/rollout/moment.ts";
import { rolloutPicture } from "../../show/rollout/picture.ts";
import { clockTime } from "../../show/time.ts";
import type { World } from "../../world.ts";
import { type Waiting, waitingFor } from "../wait.ts";

/** Five redraws a second at most: more than anybody can read. */
const REDRAW_MS = 200;
/** How often it is looked when the coordinator tells what is new, and when it does not. */
const LOOK_MS = { told: 5_000, untold: 400 } as const;
/** Times pass on the screen although nothing happens. */
const TICK_MS = 1_000;
/** Leases of more groups than this are read in one list. */
const SINGLY = 4;

export type WatchHow = { readonly timeoutSeconds: number | undefined; readonly json: boolean };

/**
 * Shows a rollout until it has ended, and goes on when the coordinator restarts: redrawn on a terminal, a line for
 * each change elsewhere, an object for each with `json`. Answers the rollout as it ended.
 */
export async function watchRollout(
  world: World,
  api: ApiClient,
  id: string,
  { timeoutSeconds, json }: WatchHow,
): Promise<Rollout> {
  const show = json ? asJson(world) : canRedraw(world) ? asPicture(world) : asLines(world);
  return followRollout(world, api, id, show, timeoutSeconds);
}

/** Shows a rollout by `show` until it has ended; throws `FaultError` `timed-out` or `interrupted`. */
export async function followRollout(
  world: World,
  api: ApiClient,
  id: string,
  show: Show,
  timeoutSeconds?: number,
): Promise<Rollout> {
  const waiting = waitingFor(world, timeoutSeconds, `rollout ${id}`, show.away);
  const news = followNews(world, api);
  const stopResizing = world.err.onResize(news.wake);
  try {
    for (;;) {
      const begun = world.now();
      // Asked for before looking: what happens while it is looked must not be missed.
      const next = news.next();
      const moment = await lookAt(world, api, id, waiting);
      const tookMs = world.now() - begun;
      show.moment(moment);
      if (isOver(moment.rollout)) return moment.rollout;
      // A fleet that takes long to tell of is asked less often.
      const lookMs = Math.max(news.isTold() ? LOOK_MS.told : LOOK_MS.untold, 4 * tookMs);
      const tick = () => show.moment({ ...moment, now: world.now() });
      await untilNews(world, waiting, { news, next, lookMs, tick });
    }
  } finally {
    stopResizing();
    news.stop();
    show.end();
  }
}

type Until = {
  readonly news: News;
  readonly next: Promise<Heard>;
  readonly lookMs: number;
  /** Called every second, and when the window has changed. */
  readonly tick: () => void;
};

/** Until something is new, or it is time to look anyway. */
async function untilNews(world: World, waiting: Waiting, { news, next, lookMs, tick }: Until): Promise<void> {
  const until = world.now() + lookMs;
  let awaited = next;
  await waiting.wait(REDRAW_MS);
  while (world.now() < until) {
    const heard = await waiting.wait(Math.min(TICK_MS, until - world.now()), awaited);
    if (heard === "news") return;
    tick();
    if (heard === "woken") {
      awaited = news.next();
      await waiting.wait(REDRAW_MS);
    }
  }
}

async function lookAt(world: World, api: ApiClient, id: string, waiting: Waiting): Promise<RolloutMoment> {
  const rollout = await waiting.patiently(() =>
    api.call({ path: path("v1", "rollouts", id), answer: Rollout }),
  );
  return momentOf(world, api, rollout, waiting);
}

/** A rollout with what surrounds it: the jobs of its nodes at work, and who holds the leases of their groups. */
export async function momentOf(
  world: World,
  api: ApiClient,
  rollout: Rollout,
  { patiently }: Pick<Waiting, "patiently">,
): Promise<RolloutMoment> {
  const busy = rollout.nodes.filter(({ status }) => isAtWork(status));
  if (busy.length === 0) return { rollout, leases: [], jobs: [], now: world.now() };
  const [jobs, leases] = await Promise.all([
    patiently(() => everything(api, ["v1", "jobs"], "jobs", Job, { rollout: rollout.id, status: "running" })),
    patiently(() => leasesOf(api, [...new Set(busy.map(({ group }) => group))])),
  ]);
  return { rollout, leases, jobs, now: world.now() };
}

async function leasesOf(api: ApiClient, groups: readonly string[]) {
  if (groups.length > SINGLY) {
    const all = await everything(api, ["v1", "groups"], "groups", Group);
    return all.ok ? { ok: true as const, value: all.value.map(({ lease }) => lease) } : all;
  }
  const leases: LeaseView[] = [];
  for (const group of groups) {
    const lease = await api.call({ path: path("v1", "groups", group, "lease"), answer: LeaseView });
    if (!lease.ok) return lease;
    leases.push(lease.value);
  }
  return { ok: true as const, value: leases };
}

/** Nothing more happens by itself. */
export const isOver = ({ status }: Pick<Rollout, "status">): boolean =>
  status === "completed" || status === "halted" || status === "cancelled" || status === "failed";

/** Whether a picture can be drawn over: both outputs are a terminal that is to be more than a printer. */
export const canRedraw = ({ out, err, env }: World): boolean =>
  out.isTerminal && err.isTerminal && env.TERM !== "dumb" && (env.NO_COLOR ?? "") === "";

export type Show = {
  /** How it stands: whenever something is new, and every second. */
  moment(moment: RolloutMoment): void;
  /** The coordinator cannot be reached. */
  readonly away: () => void;
  end(): void;
};

const AWAY = "The coordinator is away; waiting for it.";

function asPicture({ colors, err }: World): Show {
  const drawn = screen(err);
  let last = "";
  return {
    moment: (moment) => {
      last = rolloutPicture(colors, moment, { columns: err.columns ?? 80, rows: err.rows });
      drawn.show(last);
    },
    away: () => drawn.show(`${last}${last === "" ? "" : "\n"}${colors.yellow(AWAY)}`),
    end: () => drawn.end(),
  };
}

function asLines({ err, colors }: World): Show {
  let before: RolloutMoment | null = null;
  return {
    moment: (moment) => {
      if (before === null) err.write(`${clockTime(moment.now)} ${rolloutTitle(moment)}\n`);
      for (const { line } of rolloutChanges(before, moment)) err.write(`${clockTime(moment.now)} ${line}\n`);
      before = moment;
    },
    away: () => err.write(`${colors.dim(AWAY)}\n`),
    end: () => undefined,
  };
}

function asJson({ out, err }: World): Show {
  let before: RolloutMoment | null = null;
  return {
    moment: (moment) => {
      for (const { change } of rolloutChanges(before, moment)) {
        out.write(`${JSON.stringify({ at: moment.now, rollout: moment.rollout.id, ...change })}\n`);
      }
      before = moment;
    },
    away: () => err.write(`${AWAY}\n`),
    end: () => undefined,
  };
}
