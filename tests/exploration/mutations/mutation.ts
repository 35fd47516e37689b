import type { Edit } from "../mutant.ts";
import type { Beginning } from "../worlds.ts";

/** One mistake in the real sources, the small world that is searched for it, and the invariant that it breaks. */
export type Mutation = {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly world: Beginning;
  readonly breaks: string;
};
