import { FaultError } from "../../protocol/result.ts";
import type { World } from "../world.ts";

/** What a person is asked before something that disrupts, or is hard to undo. */
export type Danger = {
  /** What is about to happen and what it means, in sentences. */
  readonly what: string;
  /** What has to be typed, such as a name: nobody types it by habit. */
  readonly type: string;
  /** What that is: "the node's name". */
  readonly called: string;
};

/**
 * Goes on only when a person has typed what was asked for, or `--yes` was said. Throws `FaultError`: `usage` where
 * nobody can be asked, `declined` when the person thought better of it. Nothing was done in either case.
 */
export async function sure(world: World, yes: true | undefined, danger: Danger): Promise<void> {
  if (yes === true) return;
  const { what, type, called } = danger;
  if (world.ask === null) {
    throw new FaultError({
      code: "usage",
      message: `${what} Nobody can be asked here, and nothing was done.`,
      hint: `Say --yes if that is what you want. On a terminal you would be asked to type ${called}: ${type}`,
    });
  }
  world.err.write(`${world.colors.yellow("!")} ${what}\n`);
  const typed = await world.ask({ message: `Type ${called} (${type}) to go on`, expected: type });
  if (typed !== type) throw new FaultError({ code: "declined", message: "Nothing was done." });
}
