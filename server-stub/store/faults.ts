import type { Fault } from "../../protocol/result.ts";

/**
 * Why the coordinator's database cannot be opened. `store-in-use`: another process has it; `store-newer`: a later
 * coordinator changed it in a way that this one cannot go along with; `store-behind`: it has to be migrated first;
 * `store-unusable`: it cannot be reached, read or written.
 */
export type OpenFault = Fault<"store-in-use" | "store-newer" | "store-behind" | "store-unusable">;
