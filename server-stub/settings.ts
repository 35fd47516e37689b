import { DEFAULTS } from "../protocol/defaults.ts";
import { literals, type Static, Type } from "../protocol/schema.ts";
import { settingsTemplate } from "../protocol/settings.ts";

const duration = (value: number, description: string, minimum = 10) =>
  Type.Integer({ minimum, maximum: 86_400_000, default: value, description });
const days = (value: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 36_500, default: value, description });
const count = (value: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 100, default: value, description });

/** `coordinator.toml`: every setting of the coordinator, its default and what it means. Durations in milliseconds. */
export const CoordinatorSettings = Type.Object({
  stateDir: Type.String({
    minLength: 1,
    default: "/var/lib/baton-coordinator",
    description: "Where the database, the online keys, the repository and the control socket are.",
  }),
  publicUrl: Type.Optional(
    Type.String({
      pattern: "^https?://",
      expects: "an address that begins with http:// or https://",
      examples: ["https://baton.example:8420"],
      description: "The address by which nodes reach this coordinator, for the line that joins one.",
    }),
  ),
  advertise: Type.Optional(
    Type.String({
      pattern: "^https?://[^/?#@]+/?$",
      expects: "an address such as http://10.0.0.2:8420",
      examples: ["https://10.0.0.2:8420"],
      description:
        "Where other coordinators on the same PostgreSQL reach this one; from [listen] unless told otherwise.",
    }),
  ),
  logLevel: Type.Union(literals(["fatal", "error", "warn", "info", "debug", "trace"]).anyOf, {
    default: "info",
    description: "The least important events to log: fatal, error, warn, info, debug or trace.",
  }),
  listen: Type.Object(
    {
      address: Type.String({
        minLength: 1,
        default: "127.0.0.1",
        description:
          "The address to listen on. Any but a loopback address needs [tls], or insecure_http = true.",
      }),
      port: Type.Integer({
        minimum: 0,
        maximum: 65_535,
        default: 8420,
        description: "The port to listen on; 0 takes a free one.",
      }),
      insecureHttp: Type.Boolean({
        default: false,
        description:
          "Serve plain HTTP beyond loopback, and let nodes join over it: anybody on the way reads their credentials.",
      }),
    },
    { description: "Where agents and operators reach the coordinator." },
  ),
  tls: Type.Object(
    {
      certFile: Type.Optional(
        Type.String({
          minLength: 1,
          examples: ["/etc/baton/tls.crt"],
          description: "Certificate chain, PEM.",
        }),
      ),
      keyFile: Type.Optional(
        Type.String({ minLength: 1, examples: ["/etc/baton/tls.key"], description: "Private key, PEM." }),
      ),
    },
    { description: "Serve HTTPS. Both files or neither; they are read again on SIGHUP." },
  ),
  database: Type.Object(
    {
      file: Type.Optional(
        Type.String({
          minLength: 1,
          examples: ["/var/lib/baton-coordinator/coordinator.db"],
          description: "SQLite database; coordinator.db in state_dir unless told otherwise.",
        }),
      ),
      url: Type.Optional(
        Type.String({
          pattern: "^postgres(ql)?://",
          expects: "an address that begins with postgres://",
          examples: ["postgres://baton@db1.example,db2.example/baton?sslmode=verify-full"],
          description:
            'PostgreSQL instead: one host or several, of which the one that takes writes is used. The password may be in PGPASSWORD or a file that PGPASSFILE names. database = "postgres://…" above all tables says the same.',
        }),
      ),
    },
    { description: "What must survive a restart.", shorthand: "url" },
  ),
  replicas: Type.Object(
    {
      caFile: Type.Optional(
        Type.String({
          minLength: 1,
          examples: ["/etc/baton/ca.crt"],
          description:
            "Who signs the certificates of the other coordinators, PEM; the system's authorities otherwise.",
        }),
      ),
      serverName: Type.Optional(
        Type.String({
          pattern: "^[A-Za-z0-9.-]+$",
          expects: "a host name",
          examples: ["baton.example"],
          description: "The name in their certificates, where it is not the host that they advertise.",
        }),
      ),
    },
    { description: "Several coordinators on one PostgreSQL: how they reach each other." },
  ),
  repository: Type.Object(
    {
      dir: Type.Optional(
        Type.String({
          minLength: 1,
          examples: ["/srv/baton/repository"],
          description:
            "Signed metadata and bundles, as /tuf/ serves them; repository in state_dir unless told otherwise. Several coordinators share it.",
        }),
      ),
      keysDir: Type.Optional(
        Type.String({
          minLength: 1,
          examples: ["/srv/baton/keys"],
          description:
            "The snapshot and timestamp keys; keys in state_dir unless told otherwise. Several coordinators hold the same ones.",
        }),
      ),
    },
    { description: "Where releases lie." },
  ),
  events: Type.Object(
    {
      streamsPerToken: Type.Integer({
        minimum: 1,
        maximum: 10_000,
        default: 50,
        description: "Streams of events (GET /v1/events) that one token may have open.",
      }),
    },
    { description: "What changes, as dashboards and commands follow it." },
  ),
  dashboard: Type.Object(
    {
      signInHours: Type.Integer({
        minimum: 1,
        maximum: 8_760,
        default: 12,
        description: "Hours that a browser stays signed in, unless its token expires or is revoked before.",
      }),
    },
    { description: "The dashboard, which is served at the address above." },
  ),
  webhooks: Type.Object(
    {
      allowPrivate: Type.Boolean({
        default: false,
        description:
          "Let webhooks lead to addresses that are not public (private, loopback, link-local and the like), and by plain HTTP.",
      }),
      timeoutMs: duration(10_000, "How long a receiver has to answer."),
    },
    { description: "Messages about alerts and rollouts. The webhooks themselves are made by the API." },
  ),
  timings: Type.Object(
    {
      heartbeatMs: duration(DEFAULTS.heartbeatMs, "Between two heartbeats of a node."),
      offlineAfterMissed: count(
        DEFAULTS.offlineAfterMissed,
        "Heartbeats that a node misses before it is offline.",
      ),
      confirmAfterHeartbeats: count(
        DEFAULTS.confirmAfterHeartbeats,
        "Healthy heartbeats after its hello before a new build is confirmed.",
      ),
      reservationMs: duration(
        DEFAULTS.reservationMs,
        "How long a reserved lease lasts without being renewed.",
      ),
      actWithinMs: duration(DEFAULTS.actWithinMs, "Room for the flip on top of what draining needs."),
      drainMs: duration(DEFAULTS.drainMs, "Longest that draining is expected to take.", 0),
      healthWithinMs: duration(DEFAULTS.healthWithinMs, "How long a new build may take to become healthy."),
      probationTries: count(DEFAULTS.probationTries, "Starts that a new build has to be confirmed in."),
      probationMs: duration(DEFAULTS.probationMs, "Uptime that a new build has to be confirmed in."),
      inconclusiveAfterMs: duration(
        DEFAULTS.inconclusiveAfterMs,
        "How long an old build that is back tries to reach the coordinator.",
      ),
      jobTimeoutMs: duration(
        DEFAULTS.jobTimeoutMs,
        "How long a job that is queued or being prepared may be without any progress before it fails.",
      ),
      tickMs: duration(250, "Between two looks of the engine at what is due."),
    },
    { description: "Durations in milliseconds. Agents have timings of their own in agent.toml." },
  ),
  retention: Type.Object(
    {
      jobsDays: days(90, "Jobs that ended, with their logs; a node's last one stays."),
      rolloutsDays: days(400, "Rollouts that ended, with their nodes."),
      auditDays: days(400, "Entries of the audit log."),
      alertsDays: days(90, "Alerts that were resolved."),
      eventsDays: days(7, "What changed, for those who follow it and were away."),
      maxEvents: Type.Integer({
        minimum: 1_000,
        maximum: 100_000_000,
        default: 1_000_000,
        description: "Most of those that are kept, however young.",
      }),
      deliveriesDays: days(30, "Messages to webhooks that were delivered or given up."),
      bundlesDays: days(30, "Bundles in the repository that no release names any more."),
    },
    { description: "For how many days what is over is kept. It is let go of a little at a time." },
  ),
  metrics: Type.Object(
    {
      public: Type.Boolean({
        default: false,
        description:
          "Answer GET /metrics on the address above without a token; otherwise a viewer's is needed.",
      }),
      listen: Type.Optional(
        Type.String({
          pattern: "^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9.-]+):\\d{1,5}$",
          expects: "an address and a port, such as 127.0.0.1:9420",
          examples: ["127.0.0.1:9420"],
          description:
            "An address of its own for GET /metrics, by plain HTTP and without a token: for a scraper nearby.",
        }),
      ),
    },
    { description: "What Prometheus reads. docs/METRICS.md lists it." },
  ),
});
export type CoordinatorSettings = Static<typeof CoordinatorSettings>;

/** `/etc/baton/coordinator.toml` as the package ships it: every default as a comment. */
export const coordinatorTemplate = (): string =>
  settingsTemplate(
    CoordinatorSettings,
    "Settings of the Baton coordinator. Every setting is shown with its default: uncomment a line to change it.",
  );
