/** Settings files, cron expressions and schedules, as people and provisioning scripts write them. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { parseConfig as parseAgentConfig } from "../../../agent/config.ts";
import { AgentSettings } from "../../../agent/settings.ts";
import { readSettings } from "../../../protocol/settings.ts";
import { type SettingsSchema, snakeCase } from "../../../protocol/settings-schema.ts";
import { parseConfig } from "../../../server-stub/config.ts";
import { readCron } from "../../../server-stub/core/window/cron.ts";
import { CoordinatorSettings } from "../../../server-stub/settings.ts";
import { fitting, type JsonSchema, nearly } from "../generate/from-schema.ts";
import { damaged, nastyText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";

const shapeOf = (schema: SettingsSchema): JsonSchema => JSON.parse(JSON.stringify(schema)) as JsonSchema;

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The names as the file writes them. */
const written = (value: unknown): unknown =>
  isTable(value)
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [snakeCase(name), written(inner)]))
    : value;

/** TOML has no null and no numbers beyond 64 bits; what cannot be written is left empty. */
const toToml = (value: unknown): string => {
  try {
    return stringify(isTable(value) ? (written(value) as Record<string, unknown>) : { value });
  } catch {
    return "";
  }
};

const reads: readonly (readonly [name: string, schema: SettingsSchema, read: Read])[] = [
  ["agent.toml", AgentSettings, (text) => parseAgentConfig(text, "agent.toml")],
  ["coordinator.toml", CoordinatorSettings, async (text) => parseConfig(text, "coordinator.toml")],
];
type Read = (text: string) => ReturnType<typeof parseAgentConfig> | Promise<ReturnType<typeof parseConfig>>;

const field = fc.oneof(
  fc.constantFrom(
    "*",
    "?",
    "L",
    "LW",
    "15W",
    "*/5",
    "1-5",
    "5#2",
    "5L",
    "mon-fri",
    "jan",
    "*/0",
    "59-0",
    "1,2,3",
  ),
  fc.integer({ min: -5, max: 70 }).map(String),
  fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)).map(([from, to, step]) => `${from}-${to}/${step}`),
  nastyText,
);
const cron = fc.oneof(
  { weight: 4, arbitrary: fc.array(field, { minLength: 3, maxLength: 7 }).map((fields) => fields.join(" ")) },
  { weight: 1, arbitrary: nastyText },
  {
    weight: 1,
    arbitrary: fc.constantFrom("0-999999999 * * * *", "* * * * 0-99999999", "*/1-99999999 * * * *"),
  },
);

export const targets: readonly Target[] = [
  ...reads.flatMap(([name, schema, read]): Target[] => [
    {
      name: `${name} that fits is read as it was written`,
      runs: 25,
      property: fc.property(fitting(shapeOf(schema)), (value) => {
        const result = readSettings(schema, toToml(value), name);
        if (!result.ok) throw new Error(result.error.message);
        return isDeepStrictEqual(result.value.settings, value);
      }),
    },
    {
      name: `${name} that nearly fits is read, or its faults are told with their lines`,
      runs: 80,
      property: fc.asyncProperty(
        fc.oneof(
          nearly(shapeOf(schema)).map(toToml),
          damaged(fitting(shapeOf(schema)).map(toToml)),
          nastyText.map((word) => `${word} = 1\n`),
          nastyText,
        ),
        async (text) => {
          const result = await read(text);
          if (result.ok) return;
          decent(result);
          const lines = text.split("\n").length;
          for (const { line, message } of result.error.problems) {
            if (line !== null && (line < 1 || line > lines + 1)) throw new Error(`line ${line} of ${lines}`);
            if (message === "") throw new Error("it says nothing");
          }
        },
      ),
    },
  ]),
  {
    name: "a cron expression comes due on days that there are, or is refused in decent words",
    runs: 150,
    property: fc.property(cron, (text) => {
      const read = readCron(text);
      if (!read.ok) return decent(read);
      const { minutes, hours } = read.value;
      if (minutes.some((each) => !(each >= 0 && each < 60))) throw new Error("a minute that is none");
      if (hours.some((each) => !(each >= 0 && each < 24))) throw new Error("an hour that is none");
      for (let month = 1; month <= 12; month += 1) {
        const last = new Date(Date.UTC(2028, month, 0)).getUTCDate();
        if (read.value.daysOf(2028, month).some((day) => day < 1 || day > last))
          throw new Error("a day that is none");
      }
    }),
  },
  {
    name: "a poll schedule is taken or refused at once",
    runs: 60,
    property: fc.asyncProperty(cron, async (text) => {
      const began = performance.now();
      decent(await parseAgentConfig(stringify({ poll: { schedule: text } }), "agent.toml"));
      const tookMs = performance.now() - began;
      if (tookMs > 2_000) throw new Error(`it took ${Math.round(tookMs)} ms`);
    }),
  },
];
