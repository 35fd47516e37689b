/** Reading `agent.toml`: once, at the border, with all that is wrong told at once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../protocol/defaults.ts";
import { parseProxy } from "../protocol/proxy.ts";
import { err, ok, type Result } from "../protocol/result.ts";
import { readSettings, type SettingsFault, settingsFault, settingsTemplate } from "../protocol/settings.ts";
import { parseAddress } from "./session/addresses.ts";
import { AgentSettings } from "./settings.ts";

export const CONFIG_FILE = "/etc/baton/agent.toml";

/** Settings, and where they came from. `servers` is empty when the file names none. */
export type Config = Omit<AgentSettings, "server" | "mirrors"> & {
  readonly file: string;
  readonly servers: readonly string[];
  readonly mirrors: readonly string[];
};

/**
 * Reads the settings: the file that was named (`--config`, else `BATON_CONFIG`), or `/etc/baton/agent.toml`, which
 * may be missing. Errors: `settings`, with one line for each thing that is wrong.
 */
export async function readConfig(
  named: string | undefined,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<Result<Config, SettingsFault>> {
  const asked = named ?? env.BATON_CONFIG;
  const file = asked ?? CONFIG_FILE;
  const text = readText(file, asked === undefined);
  return text.ok ? parseConfig(text.value, file, env) : text;
}

/**
 * The settings in a text. The launcher and the guard are told the state directory by `BATON_STATE_DIR`; settings
 * that name another one would have the agent and the guard look at different trials, and are refused.
 * Errors: `settings`.
 */
export async function parseConfig(
  text: string,
  file: string,
  env: Readonly<NodeJS.ProcessEnv> = {},
): Promise<Result<Config, SettingsFault>> {
  const read = readSettings(AgentSettings, text, file);
  if (!read.ok) return read;
  const { settings, lineOf } = read.value;
  const { server, mirrors = [], ...rest } = settings;
  const guarded = env.BATON_STATE_DIR;
  const runDir = env.BATON_RUN_DIR;
  const servers = server === undefined ? [] : typeof server === "string" ? [server] : server;
  const addresses = servers.map((each) => parseAddress(each, { allowInsecure: settings.allowInsecureHttp }));
  // What is fetched there is signed, and no credential is sent.
  const places = [mirrors].flat().map((each) => parseAddress(each, { allowInsecure: true }));
  const wrong: [key: string, message: string][] = [
    ...places.flatMap((each): [string, string][] => (each.ok ? [] : [["mirrors", each.error.message]])),
    ...addresses.flatMap((each): [string, string][] =>
      each.ok ? [] : [["server", [each.error.message, each.error.hint].join(" ").trim()]],
    ),
    ...wrongProxy(settings.proxy),
    ...inOrder(settings, "session", "reconnectMinMs", "reconnectMaxMs"),
    ...inOrder(settings, "workload", "restartMinMs", "restartMaxMs"),
    ...inOrder(settings, "update", "retryMinMs", "retryMaxMs"),
    ...(await wrongSchedule(settings.poll.schedule)),
    ...(guarded !== undefined && lineOf("state_dir") !== null && settings.stateDir !== guarded
      ? [
          [
            "state_dir",
            `is ${settings.stateDir}; it must be ${guarded}, where the guard looks (BATON_STATE_DIR).`,
          ] as [string, string],
        ]
      : []),
  ];
  if (wrong.length > 0) {
    return err(settingsFault(wrong.map(([key, message]) => ({ file, line: lineOf(key), key, message }))));
  }
  return ok({
    ...rest,
    ...(guarded === undefined ? {} : { stateDir: guarded }),
    ...(runDir === undefined || lineOf("control_socket") !== null
      ? {}
      : { controlSocket: join(runDir, "control.sock") }),
    file,
    servers: addresses.flatMap((each) => (each.ok ? [each.value] : [])),
    mirrors: places.flatMap((each) => (each.ok ? [each.value] : [])),
  });
}

/** `agent.toml` with every setting and its default as a comment, as the Debian package ships it. */
export const defaultConfigText = (): string =>
  settingsTemplate(
    AgentSettings,
    "Baton agent. Every setting is shown with its default: remove the # to change one, then restart the service.\nTry it first: agent --self-test",
  );

function readText(file: string, mayBeMissing: boolean): Result<string, SettingsFault> {
  try {
    return ok(readFileSync(file, "utf8"));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    if (code === "ENOENT" && mayBeMissing) return ok("");
    const message = cause instanceof Error ? cause.message : String(cause);
    return err(settingsFault([{ file, line: null, key: "", message: `cannot be read: ${message}.` }]));
  }
}

function inOrder<Table extends "session" | "workload" | "update">(
  settings: AgentSettings,
  table: Table,
  low: keyof AgentSettings[Table] & string,
  high: keyof AgentSettings[Table] & string,
): [string, string][] {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const [min, max] = [settings[table][low], settings[table][high]];
  if (typeof min !== "number" || typeof max !== "number" || min <= max) return [];
  return [
    [`${table}.${snake(low)}`, `is ${min}; it must be at most ${table}.${snake(high)}, which is ${max}.`],
  ];
}

const wrongProxy = (proxy: string | undefined): [string, string][] =>
  proxy === undefined || proxy === "none" || parseProxy(proxy) !== null
    ? []
    : [["proxy", 'must be the address of an HTTP proxy such as http://proxy.example:3128, or "none".']];

/** The library is asked only about a schedule that is not the default: most commands need no schedule. */
async function wrongSchedule(schedule: string): Promise<[string, string][]> {
  if (schedule === DEFAULTS.pollSchedule) return [];
  const { validate } = await import("node-cron");
  // No field counts beyond 59; node-cron would write a longer range out, number by number.
  if (!/\d{3}/.test(schedule) && validate(schedule)) return [];
  return [
    [
      "poll.schedule",
      `is ${JSON.stringify(schedule.slice(0, 200))}; it must be a cron expression such as "*/5 * * * *".`,
    ],
  ];
}
