/**
 * Every setting of an agent with its default and what it means, in one schema: types, errors and the shipped
 * `agent.toml` come from it. The coordinator tells how often to heartbeat; everything else is set here.
 */
import { DEFAULTS } from "../protocol/defaults.ts";
import { type Static, Type } from "../protocol/schema.ts";

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
  mirrors: Type.Optional(
    Type.Union([Address, Type.Array(Address, { maxItems: 16 })], {
      description:
        "Addresses from which metadata and bundles are fetched before the coordinator is asked, in turn: any web server that serves the repository below /tuf/. Signatures decide what is taken; no credential is sent there.",
      examples: [["https://mirror.example/baton"]],
      expects: "an address such as https://mirror.example/baton, or a list of them",
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
  proxy: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'HTTP proxy for all that the agent fetches, instead of HTTPS_PROXY and HTTP_PROXY of the environment; "none" for no proxy at all. The password of one is better kept in the environment.',
      examples: ["http://proxy.example:3128"],
      expects: 'the address of an HTTP proxy such as http://proxy.example:3128, or "none"',
    }),
  ),
  noProxy: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 256 })], {
      description:
        "Whom to reach without the proxy, instead of NO_PROXY of the environment: names (with all below them), addresses, blocks of addresses, *.",
      examples: [["coordinator.internal", "10.0.0.0/8"]],
      expects: "a list of names, addresses and blocks such as 10.0.0.0/8",
    }),
  ),
  proxyLoopback: Type.Boolean({
    default: false,
    description: "Whether the proxy is used for addresses of this machine itself, too.",
  }),
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
      reconnectMaxMs: ms(
        DEFAULTS.reconnectMaxMs,
        "Longest wait before any try to connect again. Shorter than three heartbeats, or a coordinator that restarts takes this node for lost.",
      ),
    },
    { description: "The session with the coordinator." },
  ),
  poll: Type.Object(
    {
      enabled: Type.Boolean({
        default: true,
        description:
          "Whether this node asks by schedule as well. A session, rollouts and `agent update-now` reach it all the same.",
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
      prepareAttempts: Type.Integer({
        minimum: 1,
        maximum: 100,
        default: 6,
        description: "How often preparing a build is tried, when trying again may help.",
      }),
      commitRounds: Type.Integer({
        minimum: 1,
        maximum: 10,
        default: 2,
        description: "How often a drain that took too long is tried again under the same lease.",
      }),
      retryMinMs: ms(1_000, "First wait before something is tried again; it doubles."),
      retryMaxMs: ms(300_000, "Longest wait before something is tried again."),
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
