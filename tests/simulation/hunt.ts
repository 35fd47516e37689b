/** Whether a planted fault is found, and after how many histories. */
import type { Mutation } from "./mutate.ts";
import { runSeeds } from "./pool.ts";
import type { Answered } from "./worker.ts";

export type Hunted = { readonly mutation: Mutation; readonly found: Answered | null; readonly ran: number };

/** Stops at the first history that fails. In memory: what is planted is not in the database. */
export async function hunt(
  mutation: Mutation,
  { seeds, threads }: { readonly seeds: readonly number[]; readonly threads: number },
): Promise<Hunted> {
  const { failures, ran } = await runSeeds({ seeds, threads, mutation, storage: "memory", maxFailures: 1 });
  return { mutation, found: failures[0] ?? null, ran };
}

export function describeHunt({ mutation, found, ran }: Hunted): string {
  if (found === null) return `NOT FOUND in ${ran} histories: ${mutation.name} (${mutation.file})`;
  const message = found.failure?.message.split("\n")[0] ?? "";
  return `found in history ${ran} (seed ${found.seed}): ${mutation.name}: ${found.failure?.rule}: ${message}`;
}
