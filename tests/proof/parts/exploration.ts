/** All that can happen in small worlds where more goes wrong at once than in those of the fast suite. */
import { LARGER_WORLDS } from "../../exploration/larger-worlds.ts";
import { search } from "../../exploration/search.ts";
import { type Part, shareOf } from "../part.ts";

/** No world has as many; a search that meets more has lost its bounds. */
const MAX_STATES = 3_000_000;

export const part: Part = {
  name: "exploration",
  run: async (shard, print) => {
    let [passed, failed, met] = [0, 0, 0];
    for (const [name, beginning] of shareOf(Object.entries(LARGER_WORLDS), shard)) {
      const { violation, complete, states, steps, depth } = search(beginning, MAX_STATES);
      met += states;
      print(`${name}: ${states} states, ${steps} steps, at most ${depth} from the beginning`);
      if (violation !== null) {
        for (const line of violation.history) print(line);
        print(`${violation.invariant}: ${violation.message}`);
      } else if (!complete) print("there are more states than can be searched");
      if (violation === null && complete) passed += 1;
      else failed += 1;
      // The watch on memory and the printing get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    print(`${met} states in all`);
    return { passed, failed };
  },
};
