/** Groups that are there before their agents join. */
import type { Joining } from "./swarm.ts";

/** A call to the API that must succeed. */
export type Caller = {
  call<T>(method: string, path: string, more?: { readonly body?: unknown }): Promise<T>;
};

/** Groups that are made at once. */
const MAKING = 8;

/** A group, and what its nodes join with. */
export async function makeGroup(
  coordinator: Caller,
  name: string,
  nodes: number,
  mode: "quorum" | "independent",
): Promise<Joining[]> {
  await coordinator.call("POST", "/v1/groups", { body: { name, mode } });
  const body = { group: name, autoApprove: true, uses: nodes };
  const { secret } = await coordinator.call<{ secret: string }>("POST", "/v1/join-tokens", { body });
  return Array.from({ length: nodes }, (_, at) => ({
    name: `${name}-${at}`,
    secret,
    isQuorum: mode === "quorum",
  }));
}

/** So many quorum groups of the same size, a few at a time. */
export async function makeQuorums(coordinator: Caller, groups: number, voters: number): Promise<Joining[][]> {
  const names = Array.from({ length: groups }, (_, at) => `quorum-${at}`);
  const made: Joining[][] = [];
  const makeRest = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      made.push(await makeGroup(coordinator, name, voters, "quorum"));
    }
  };
  await Promise.all(Array.from({ length: MAKING }, makeRest));
  return made;
}
