/**
 * What `npm run test:proof` is made of. A part is a file in `tests/proof/parts/` that exports `part`; being there is
 * all that it takes. Parts run one after the other and may use both cores.
 */
import type { Counts } from "../tally.ts";

export type { Counts };

/** Which of `of` equal pieces of the work: `index` counts from 1. */
export type Shard = { readonly index: number; readonly of: number };

export type Part = {
  /** As the file is named. */
  readonly name: string;
  /** Does its share of the work, prints what it found and what it counted, and says how many checks passed and failed. */
  run(shard: Shard, print: (line: string) => void): Promise<Counts>;
};

/** `2/7`; null when it is none. */
export function parseShard(text: string): Shard | null {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  return shard.index >= 1 && shard.index <= shard.of ? shard : null;
}

/** Those of a list that are this shard's: every `of`th one, so that neighbours, which cost alike, are shared out. */
export const shareOf = <T>(items: readonly T[], { index, of }: Shard): T[] =>
  items.filter((_, at) => at % of === index - 1);
