/** All that can happen in small worlds where more goes wrong at once than in those of the fast suite. */
import { LARGER_WORLDS } from "../../exploration/larger-worlds.ts";
import { runChild, twoAtATime } from "../child.ts";
import { type Part, shareOf } from "../part.ts";

export const part: Part = {
  name: "exploration",
  run: (shard, print) =>
    twoAtATime(
      shareOf(Object.keys(LARGER_WORLDS), shard).map((name) => () => runChild("world.ts", [name], print)),
    ),
};
