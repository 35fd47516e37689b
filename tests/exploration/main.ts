/**
 * `node tests/exploration/main.ts`: searches the worlds of the fast suite, then one world for each mutation, and
 * prints a line of JSON for each. A process of its own, since a test runner's way of loading modules makes the search
 * slow and leaves no room for changing sources as they are read.
 */
import type { Explored } from "./explore.ts";
import { loadMutant } from "./mutant.ts";
import { MUTATIONS } from "./mutations.ts";
import { search } from "./search.ts";
import { WORLDS } from "./worlds.ts";

/** What is printed of a search. */
export type Line = Explored & { readonly kind: "world" | "mutation"; readonly name: string };

const MAX_STATES = 1_000_000;

const print = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const only = process.argv[2];
const isMeant = (name: string) => only === undefined || name.includes(only);

for (const [name, beginning] of Object.entries(WORLDS)) {
  if (isMeant(name)) print({ kind: "world", name, ...search(beginning, MAX_STATES) });
}
for (const [at, { name, edits, world }] of MUTATIONS.entries()) {
  if (!isMeant(name)) continue;
  const id = `m${at}`;
  const mutant = await loadMutant<typeof import("./search.ts")>("tests/exploration/search.ts", id, edits);
  print({ kind: "mutation", name, ...mutant.search(world, MAX_STATES) });
}
