/**
 * `agent.toml`: every setting of an agent with its default, in one schema. The coordinator tells how often to
 * heartbeat; everything else that an agent does by the clock is set here.
 */
import { readFileSync } from "node:fs";
import { DEFAULTS } from "../protocol/defaults.ts";
import { err, ok, type Result } from "../protocol/result.ts";
import { type Static, Type } from "../protocol/schema.ts";
import { readSettings, type SettingsFault, settingsFault, settingsTemplate } from "../protocol/settings.ts";
import { parseAddress } from "./session/addresses.ts";

export const CONFIG_FILE = "/etc/baton/agent.toml";

const ms = (value: number, description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: 86_400_000, default: value, description: `${description} Milliseconds.` });

const Address = Type.String({ minLength: 1, expects: "an address such as https://coordinator.example:8443" });

export const AgentSettings = Type.Object({
  server: Type.Optional(
    Type.Union([Address, Type.Array(Address, { minItems: 1, maxItems: 16 })], {
      description:
        "Address of the coordinator, or a list of addresses that are tried in turn. What `agent join` was given otherwise.",
      examples: ["https://coordinator.example:8443"],
      expects: "an address such as https://coordinator.example:8443, or a list of them",
    }),
  ),
  stateDir: Type.String({
    minLength: 1,
    pattern: "^/",
    default: "/var/lib/baton-agent",
    description: "Where releases, `dist` and the agent's state are. One file system.",
    expects: "an absolute path",
  }),
  controlSocket: Type.String({
    minLength: 1,
    pattern: "^/",
    default: "/run/baton-agent/control.sock",
    description: "The local control API that the `agent` command speaks to. At most 107 bytes.",
    maxLength: 107,
    expects: "an absolute path of at most 107 bytes",
  }),
  caFile: Type.Optional(
    Type.String({
      minLength: 1,
      description: "Certificate authorities (PEM) to trust beside Node's own.",
      examples: ["/etc/baton/ca.pem"],
    }),
  ),
  allowInsecureHttp: Type.Boolean({
    default: false,
    description:
      "Whether plain HTTP to another machine is allowed. Anybody on the way can then read the credential.",
  }),
  logLevel: Type.Union(
    [
      Type.Literal("debug"),
      Type.Literal("info"),
      Type.Literal("warn"),
      Type.Literal("error"),
      Type.Literal("silent"),
    ],
    { default: "info", description: "What the log holds: debug, info, warn, error or silent." },
  ),
  session: Type.Object(
    {
      mode: Type.Union([Type.Literal("auto"), Type.Literal("websocket"), Type.Literal("http")], {
        default: "auto",
        description: "auto takes a WebSocket, and plain HTTP where none gets through.",
      }),
      reconnectMinMs: ms(DEFAULTS.reconnectMinMs, "Longest wait before the first try to connect again."),
      reconnectMaxMs: ms(DEFAULTS.reconnectMaxMs, "Longest wait before any try to connect again."),
    },
    { description: "The session with the coordinator." },
  ),
  poll: Type.Object(
    {
      enabled: Type.Boolean({
        default: true,
        description:
          "Whether this node asks by schedule, and catches up with its group by itself. Rollouts, operators and `agent update-now` reach it all the same.",
      }),
      schedule: Type.String({
        minLength: 1,
        default: DEFAULTS.pollSchedule,
        description: "When to ask, as a cron expression (five fields, or six with seconds).",
        expects: 'a cron expression such as "*/5 * * * *"',
      }),
      jitterMs: ms(DEFAULTS.pollJitterMs, "Longest random wait on top.", 0),
    },
    { description: "Asking the coordinator for the desired release by schedule." },
  ),
  health: Type.Object(
    {
      everyMs: ms(DEFAULTS.healthEveryMs, "How often the health hook is asked."),
      timeoutMs: ms(DEFAULTS.healthTimeoutMs, "How long one answer may take."),
    },
    { description: "The health of the workload." },
  ),
  workload: Type.Object(
    {
      hookTimeoutMs: ms(DEFAULTS.hookTimeoutMs, "How long the handover and resume hooks may take."),
      drainMs: ms(DEFAULTS.drainMs, "How long the drain hook may take, unless version.json says."),
      stopMs: ms(10_000, "Between SIGTERM and SIGKILL, unless version.json says.", 0),
      restartMinMs: ms(1_000, "First wait before a workload that ended is started again; it doubles."),
      restartMaxMs: ms(30_000, "Longest wait before a workload that ended is started again."),
    },
    { description: "The program that the bundle carries, and its hooks." },
  ),
  update: Type.Object(
    {
      flipMs: ms(DEFAULTS.actWithinMs, "Room for the flip on top of what draining may take."),
      selfTestTimeoutMs: ms(DEFAULTS.selfTestTimeoutMs, "How long a new build's --self-test may take."),
      downloadTimeoutMs: ms(DEFAULTS.downloadTimeoutMs, "How long a download may take in all."),
      inconclusiveAfterMs: ms(
        DEFAULTS.inconclusiveAfterMs,
        "How long an old build that is back tries to connect before its coordinator's absence excuses the new one.",
      ),
    },
    { description: "Updates." },
  ),
  probation: Type.Object(
    {
      tries: Type.Integer({
        minimum: 1,
        maximum: 20,
        default: DEFAULTS.probationTries,
        description: "How often a new build may start before it is confirmed.",
      }),
      refunds: Type.Integer({
        minimum: 0,
        maximum: 100,
        default: DEFAULTS.probationRefunds,
        description: "How many of its starts are not counted because systemd stopped it on purpose.",
      }),
      uptimeMs: ms(DEFAULTS.probationMs, "How long a new build may run without being confirmed."),
    },
    { description: "A new build until it is confirmed." },
  ),
});
export type AgentSettings = Static<typeof AgentSettings>;

/** Settings, and where they came from. `servers` is empty when the file names none. */
export type Config = Omit<AgentSettings, "server"> & {
  readonly file: string;
  readonly servers: readonly string[];
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
  return text.ok ? parseConfig(text.value, file) : text;
}

/** The settings in a text. Errors: `settings`. */
export async function parseConfig(text: string, file: string): Promise<Result<Config, SettingsFault>> {
  const read = readSettings(AgentSettings, text, file);
  if (!read.ok) return read;
  const { settings, lineOf } = read.value;
  const { server, ...rest } = settings;
  const servers = server === undefined ? [] : typeof server === "string" ? [server] : server;
  const addresses = servers.map((each) => parseAddress(each, { allowInsecure: settings.allowInsecureHttp }));
  const wrong: [key: string, message: string][] = [
    ...addresses.flatMap((each): [string, string][] =>
      each.ok ? [] : [["server", [each.error.message, each.error.hint].join(" ").trim()]],
    ),
    ...inOrder(settings, "session", "reconnectMinMs", "reconnectMaxMs"),
    ...inOrder(settings, "workload", "restartMinMs", "restartMaxMs"),
    ...(await wrongSchedule(settings.poll.schedule)),
  ];
  if (wrong.length > 0) {
    return err(settingsFault(wrong.map(([key, message]) => ({ file, line: lineOf(key), key, message }))));
  }
  return ok({ ...rest, file, servers: addresses.flatMap((each) => (each.ok ? [each.value] : [])) });
}

/** `agent.toml` with every setting and its default as a comment, as the Debian package ships it. */
export const defaultConfigText = (): string =>
  settingsTemplate(
    AgentSettings,
    "Baton agent. Every setting is shown with its default: remove the # to change one, then restart the service.\nTry it first: agent run --self-test",
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

function inOrder<Table extends "session" | "workload">(
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

/** The library is asked only about a schedule that is not the default: most commands need no schedule. */
async function wrongSchedule(schedule: string): Promise<[string, string][]> {
  if (schedule === DEFAULTS.pollSchedule) return [];
  const { validate } = await import("node-cron");
  if (validate(schedule)) return [];
  return [
    ["poll.schedule", `is ${JSON.stringify(schedule)}; it must be a cron expression such as "*/5 * * * *".`],
  ];
}
