import { describe, expect, test } from "vitest";
import { nearest } from "../../protocol/nearest.ts";
import { literals, Type } from "../../protocol/schema.ts";
import { readSettings, settingsFault, settingsTemplate } from "../../protocol/settings.ts";

const Schema = Type.Object({
  stateDir: Type.String({ minLength: 1, default: "/var/lib/x", description: "Where it keeps its state." }),
  server: Type.String({
    pattern: "^https?://",
    examples: ["https://baton.example"],
    description: "Whom to ask.",
  }),
  caFile: Type.Optional(Type.String({ examples: ["/etc/ca.pem"], description: "Trusts this as well." })),
  level: literals(["info", "debug"]),
  timings: Type.Object(
    {
      heartbeatMs: Type.Integer({
        minimum: 10,
        maximum: 60_000,
        default: 5000,
        description: "Between heartbeats.",
      }),
      jitter: Type.Boolean({ default: true }),
    },
    { description: "How long things take." },
  ),
  labels: Type.Record(Type.String(), Type.String(), { default: {}, description: "Free words." }),
});

const good = 'server = "http://x"\nlevel = "info"\n';
const read = (text: string) => readSettings(Schema, text, "x.toml");
const problemsOf = (text: string): readonly string[] => {
  const result = read(text);
  return result.ok ? [] : result.error.message.split("\n");
};

describe("a settings file", () => {
  test("has its defaults, and what it says", () => {
    const result = read(`${good}[timings]\nheartbeat_ms = 20\n[labels]\nrack_row = "a"\n`);
    expect(result.ok && result.value.settings).toEqual({
      stateDir: "/var/lib/x",
      server: "http://x",
      level: "info",
      timings: { heartbeatMs: 20, jitter: true },
      labels: { rack_row: "a" },
    });
    expect(result.ok && result.value.lineOf("timings.heartbeat_ms")).toBe(4);
  });

  // Found by fuzzing: the message of a file of another program had no bound.
  test("says what there is once, however many keys are like nothing", () => {
    const result = read(`${good}[timings]\nqqq = 3\nxxx = 4\n`);
    expect(result).toMatchObject({
      ok: false,
      error: {
        message:
          "x.toml:4: timings.qqq: there is no such setting. Known in [timings] are heartbeat_ms, jitter.\n" +
          "x.toml:5: timings.xxx: there is no such setting.",
      },
    });
  });

  test.each<[string, string, string]>([
    ["not TOML", `${good}x = = 1\n`, "x.toml:3: this is not TOML: invalid value."],
    [
      "an unknown key",
      `${good}stat_dir = "x"\n`,
      "x.toml:3: stat_dir: there is no such setting. Did you mean state_dir?",
    ],
    [
      "a key in the program's spelling",
      `${good}stateDir = "x"\n`,
      "x.toml:3: stateDir: there is no such setting. Did you mean state_dir?",
    ],
    [
      "a key in the wrong table",
      `${good}heartbeat_ms = 3\n`,
      "x.toml:3: heartbeat_ms: there is no such setting here. Did you mean timings.heartbeat_ms?",
    ],
    [
      "a key like nothing",
      `${good}[timings]\nqqq = 3\n`,
      "x.toml:4: timings.qqq: there is no such setting. Known in [timings] are heartbeat_ms, jitter.",
    ],
    [
      "what every object has",
      `${good}[timings]\nto_string = 3\n`,
      "x.toml:4: timings.to_string: there is no such setting. Known in [timings] are heartbeat_ms, jitter.",
    ],
    [
      "a wrong type",
      `${good}[timings]\njitter = "yes"\n`,
      'x.toml:4: timings.jitter: is "yes"; it must be true or false.',
    ],
    [
      "out of range",
      `${good}timings.heartbeat_ms = 1\n`,
      "x.toml:3: timings.heartbeat_ms: is 1; it must be a whole number from 10 to 60000.",
    ],
    [
      "not one of the words",
      `server = "http://x"\nlevel = "loud"\n`,
      'x.toml:2: level: is "loud"; it must be "info" or "debug".',
    ],
    [
      "a table that is none",
      `${good}timings = 3\n`,
      "x.toml:3: timings: must be a table, written as [timings].",
    ],
    [
      "what must be given",
      'level = "info"\n',
      "x.toml: server: is missing; it must be a text that matches ^https?://.",
    ],
    [
      "a key after a multi-line text",
      `${good}state_dir = """\nlevel = 1\n"""\nzzz = 1\n`,
      "x.toml:6: zzz: there is no such setting. Known are state_dir, server, ca_file, level, timings, labels.",
    ],
    ["a key that would poison objects", `${good}__proto__ = 1\n`, "x.toml:3: this is not TOML: "],
  ])("refuses %s, with its place and what would be right", (_, text, expected) => {
    expect(problemsOf(text)).toHaveLength(1);
    expect(problemsOf(text)[0]).toContain(expected);
  });

  test("tells everything that is wrong at once, in the order of the file", () => {
    expect(problemsOf("level = 1\n[timings]\njitter = 1\n")).toEqual([
      'x.toml:1: level: is 1; it must be "info" or "debug".',
      "x.toml:3: timings.jitter: is 1; it must be true or false.",
      "x.toml: server: is missing; it must be a text that matches ^https?://.",
    ]);
  });

  test("leaves rules over several keys to its reader", () => {
    const fault = settingsFault([{ file: "x.toml", line: 2, key: "a", message: "excludes b." }]);
    expect(fault.message).toBe("x.toml:2: a: excludes b.");
  });
});

describe("the template", () => {
  const template = settingsTemplate(Schema, "Settings of x");

  test("shows every default as a comment under its description", () => {
    expect(template).toContain('# Where it keeps its state.\n#state_dir = "/var/lib/x"\n');
    expect(template).toContain("[timings]\n\n# Between heartbeats.\n#heartbeat_ms = 5000\n");
    expect(template).toContain('# Whom to ask. Must be given.\nserver = "https://baton.example"\n');
    expect(template).toContain('# Trusts this as well. Not set by default.\n#ca_file = "/etc/ca.pem"\n');
  });

  test("means the defaults again, commented or not", () => {
    const plain = Type.Object({
      a: Type.String({ default: "x" }),
      e: Type.Array(Type.String(), { default: ["f"] }),
    });
    const text = settingsTemplate(plain, "t");
    expect(readSettings(plain, text, "t")).toMatchObject({
      ok: true,
      value: { settings: { a: "x", e: ["f"] } },
    });
    const uncommented = text.replace(/^#(?=\S)/gm, "");
    expect(readSettings(plain, uncommented, "t")).toMatchObject({ ok: true });
  });
});

test("nearest suggests what was meant, and nothing far off", () => {
  expect(nearest("lisen", ["listen", "address"])).toBe("listen");
  expect(nearest("adress", ["listen", "address"])).toBe("address");
  expect(nearest("prot", ["port"])).toBe("port");
  expect(nearest("colour", ["listen", "address"])).toBeNull();
});
