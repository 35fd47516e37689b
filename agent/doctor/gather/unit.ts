import { access } from "node:fs/promises";
import { runHook } from "../../workload/run-hook.ts";
import type { UnitFacts } from "../unit.ts";

const SERVICE = "baton-agent.service";
const TIMER = "baton-agent-deadline.timer";
const LIMIT_MS = 5_000;
/** systemd runs this machine when this is there. Source: sd_booted(3). */
const BOOTED = "/run/systemd/system";

/** Asks systemd about the service; needs no privilege. */
export async function lookAtUnit(env: Readonly<NodeJS.ProcessEnv>): Promise<UnitFacts> {
  const booted = await access(BOOTED).then(
    () => true,
    () => false,
  );
  if (!booted) return { kind: "no-systemd" };
  const service = await show(SERVICE, env);
  const timer = await show(TIMER, env);
  if (typeof service === "string") return { kind: "not-asked", why: service };
  const of = (name: string) => service.get(name) ?? "";
  return {
    kind: "known",
    load: of("LoadState"),
    active: of("ActiveState"),
    sub: of("SubState"),
    unitFile: of("UnitFileState"),
    result: of("Result"),
    restarts: Number(of("NRestarts")) || 0,
    needsReload: of("NeedDaemonReload") === "yes",
    timer: typeof timer === "string" ? "unknown" : (timer.get("ActiveState") ?? "unknown"),
  };
}

/** The properties of a unit; a sentence when systemd did not say. */
async function show(unit: string, env: Readonly<NodeJS.ProcessEnv>): Promise<Map<string, string> | string> {
  const names = "LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,NeedDaemonReload";
  const command = ["systemctl", "show", unit, `--property=${names}`] as [string, ...string[]];
  const run = await runHook(
    { name: "systemctl", command, cwd: "/", env, limitMs: LIMIT_MS },
    () => undefined,
  );
  if (!run.ok) return run.error.message;
  return new Map(
    run.value.map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
