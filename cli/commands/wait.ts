import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import type { World } from "../world.ts";
import { must } from "./leaf.ts";

export type Waiting = {
  /** Waits. Throws `FaultError` `timed-out` once the time is up, `interrupted` when the person has had enough. */
  readonly wait: (ms: number) => Promise<void>;
  /** The answer of `ask`, asked again while the coordinator is away: it may be restarting. */
  readonly patiently: <T>(ask: () => Promise<Result<T, Fault>>) => Promise<T>;
};

/** How long a coordinator may be away before watching gives up, and how often it is asked. */
const AWAY_MS = 120_000;
const ASK_AGAIN_MS = 1_000;

export function waitingFor(world: World, timeoutSeconds: number | undefined, what: string): Waiting {
  const endsAt =
    timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : world.now() + timeoutSeconds * 1000;

  const wait = async (ms: number): Promise<void> => {
    const leftMs = endsAt - world.now();
    if (leftMs <= 0) {
      throw new FaultError({
        code: "timed-out",
        message: `Waited ${timeoutSeconds} s for ${what}, which goes on.`,
      });
    }
    try {
      await world.sleep(Math.min(ms, leftMs), world.interrupted);
    } catch (cause) {
      if (!world.interrupted.aborted) throw cause;
      throw new FaultError(
        { code: "interrupted", message: `No longer watching ${what}, which goes on.` },
        { cause },
      );
    }
  };

  return {
    wait,
    patiently: async (ask) => {
      let awaySince: number | null = null;
      for (;;) {
        const answer = await ask();
        if (answer.ok || !isAway(answer.error)) return must(answer);
        if (awaySince === null) {
          awaySince = world.now();
          world.err.write(`${world.colors.dim("The coordinator is away; waiting for it.")}\n`);
        }
        if (world.now() - awaySince > AWAY_MS) return must(answer);
        await wait(ASK_AGAIN_MS);
      }
    },
  };
}

const isAway = ({ code }: Fault): boolean => code === "unreachable" || code === "unavailable";
