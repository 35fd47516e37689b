import { createControlClient } from "../../control/client.ts";
import { AgentStatus } from "../../control/messages.ts";
import type { ProcessFacts } from "../process.ts";

/** Asks the agent that listens on `socket` how it is. */
export async function lookAtProcess(socket: string, now: () => number): Promise<ProcessFacts> {
  const said = await createControlClient(socket).call({ method: "GET", path: "/v1/status" }, AgentStatus);
  if (said.ok) return { kind: "running", status: said.value, now: now() };
  if (said.error.code === "agent-not-running") return { kind: "not-running", socket };
  return { kind: "not-asked", socket, why: said.error.message };
}
