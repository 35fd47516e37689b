/** What strangers may say, at every border, far more of it than `npm test` has time for. */
import { runChild, twoAtATime } from "../child.ts";
import type { Part } from "../part.ts";

/** So many times what `npm test` tries, over all shards. */
export const TIMES = 60;

export const part: Part = {
  name: "fuzz",
  run: ({ index, of }, print) =>
    twoAtATime(
      [2 * index - 1, 2 * index].map((half) => {
        const [seed, times] = [1_000 + half, TIMES / (2 * of)];
        return () => runChild("fuzz.ts", [String(seed), String(times)], print);
      }),
    ),
};
