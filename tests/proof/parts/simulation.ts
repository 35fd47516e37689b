/** Whole fleets in virtual time: one history per seed, shared out over the shards. */
import { invent } from "../../simulation/invent.ts";
import { runHistory } from "../../simulation/run.ts";
import { type Part, shareOf } from "../part.ts";

const SEEDS = 200;

export const part: Part = {
  name: "simulation",
  run: async (shard, print) => {
    const seeds = shareOf(
      Array.from({ length: SEEDS }, (_, at) => at + 1),
      shard,
    );
    let failed = 0;
    for (const seed of seeds) {
      const { failure } = await runHistory(invent(seed, "memory"), { isTold: false });
      if (failure === null) continue;
      failed += 1;
      print(`seed ${seed}: ${failure.rule}: ${failure.message}`);
    }
    return { passed: seeds.length - failed, failed };
  },
};
