import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import type { World } from "../world.ts";
import { must } from "./leaf.ts";

export type Waiting = {
  /**
   * Waits, or until `sooner` resolves: answers what it resolved to. Throws `FaultError` `timed-out` once the time is
   * up, `interrupted` when the person has had enough.
   */
  wait(ms: number): Promise<void>;
  wait<T>(ms: number, sooner: Promise<T>): Promise<T | undefined>;
  /** The answer of `ask`, asked again while the coordinator is away: it may be restarting. */
  readonly patiently: <T>(ask: () => Promise<Result<T, Fault>>) => Promise<T>;
};

/** How long a coordinator may be away before watching gives up, and how often it is asked. */
const AWAY_MS = 120_000;
const ASK_AGAIN_MS = 1_000;

/** `away` is called once whenever the coordinator has gone. */
export function waitingFor(
  world: World,
  timeoutSeconds: number | undefined,
  what: string,
  away: () => void = () => sayAway(world),
): Waiting {
  const endsAt =
    timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : world.now() + timeoutSeconds * 1000;

  const wait = async <T>(ms: number, sooner?: Promise<T>): Promise<T | undefined> => {
    const leftMs = endsAt - world.now();
    if (leftMs <= 0) {
      throw new FaultError({
        code: "timed-out",
        message: `Waited ${timeoutSeconds} s for ${what}, which goes on.`,
      });
    }
    const enough = new AbortController();
    try {
      const slept = world.sleep(Math.min(ms, leftMs), AbortSignal.any([world.interrupted, enough.signal]));
      if (sooner === undefined) await slept;
      else return await Promise.race([sooner, slept.then(() => undefined, asleep(enough.signal))]);
    } catch (cause) {
      if (!world.interrupted.aborted) throw cause;
      throw new FaultError(
        { code: "interrupted", message: `No longer watching ${what}, which goes on.` },
        { cause },
      );
    } finally {
      enough.abort();
    }
    return undefined;
  };

  return {
    wait: wait as Waiting["wait"],
    patiently: async (ask) => {
      let awaySince: number | null = null;
      for (;;) {
        const answer = await ask();
        if (answer.ok || !isAway(answer.error)) return must(answer);
        if (awaySince === null) {
          awaySince = world.now();
          away();
        }
        if (world.now() - awaySince > AWAY_MS) return must(answer);
        await wait(ASK_AGAIN_MS);
      }
    },
  };
}

/** A sleep that was cut short because something else came first is no failure. */
const asleep =
  (enough: AbortSignal) =>
  (cause: unknown): undefined => {
    if (!enough.aborted) throw cause;
    return undefined;
  };

const sayAway = ({ err, colors }: World): void =>
  err.write(`${colors.dim("The coordinator is away; waiting for it.")}\n`);

const isAway = ({ code }: Fault): boolean => code === "unreachable" || code === "unavailable";
