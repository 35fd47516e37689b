import type { Finding } from "../../protocol/finding.ts";
import { CONFIG_FILE, type Config, parseConfig, readConfig } from "../config.ts";
import type { SettingsFacts } from "../doctor/settings.ts";
import { findingLines, isWell, summary } from "../doctor/text.ts";
import { silentLog } from "../effects/log.ts";
import type { Running } from "../running.ts";
import { networkOf } from "../session/network.ts";
import type { Common } from "./commands.ts";
import { EXIT, type World } from "./world.ts";

/** `agent doctor`: 0 when nothing is wrong, 1 otherwise. Works without an agent, a coordinator, or good settings. */
export async function doctorCommand(world: World, running: Running, options: Common): Promise<number> {
  const { lookAtNode } = await import("../doctor/look.ts");
  const { config, fault } = await settingsOf(world, options);
  const at = options.socket === undefined ? config : { ...config, controlSocket: options.socket };
  const network = networkOf(at, world.env, silentLog);
  const { env } = world;
  const findings = await lookAtNode({ config: at, settingsFault: fault, env, running, network, self: null });
  world.out(options.json === true ? `${JSON.stringify(reportOf(findings))}\n` : textOf(findings));
  return isWell(findings) ? EXIT.ok : EXIT.error;
}

const reportOf = (findings: readonly Finding[]) => ({ ok: isWell(findings), findings });

const textOf = (findings: readonly Finding[]): string =>
  [...findingLines(findings), "", `${summary(findings)}.`, ""].join("\n");

/** Settings that cannot be read are a finding; the defaults then stand for them. */
async function settingsOf(
  { env }: World,
  options: Common,
): Promise<{ readonly config: Config; readonly fault: SettingsFacts["fault"] }> {
  const read = await readConfig(options.config, env);
  if (read.ok) return { config: read.value, fault: null };
  const file = options.config ?? env.BATON_CONFIG ?? CONFIG_FILE;
  const defaults = await parseConfig("", file, env);
  if (!defaults.ok) throw new Error("the defaults are no settings");
  const { message, hint } = read.error;
  return { config: defaults.value, fault: { message, hint: hint ?? null } };
}
