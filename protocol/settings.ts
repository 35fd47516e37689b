/**
 * Settings files: TOML text to a typed value, once, at the border. Pure: the caller reads the file.
 *
 * A schema of settings is an object of settings and of tables of settings, written in camelCase; the file writes
 * the same names in snake_case (`heartbeatMs` is `heartbeat_ms`). A setting has a `default`, or is optional, or
 * must be given. Nothing is guessed: an unknown key, a wrong type or a value out of range is an error that names
 * the file, the line, the key and what would be right, and all errors are told at once.
 */
import { parse as parseToml, TomlError } from "smol-toml";
import { nearest } from "./nearest.ts";
import { plainWords } from "./plain-words.ts";
import { err, type Fault, ok, type Result } from "./result.ts";
import { type Static, type TSchema, Type, Value } from "./schema.ts";
import { camelCase, defaultsOf, expectation, type SettingsSchema, snakeCase } from "./settings-schema.ts";
import { type KeyLines, keyLines } from "./toml-lines.ts";

export { type SettingsSchema, settingsTemplate } from "./settings-schema.ts";

/** One thing wrong with a settings file. `line` counts from 1; null when the key is not in the file. */
export type SettingsProblem = {
  readonly file: string;
  readonly line: number | null;
  /** As the file writes it, with its table: `timings.heartbeat_ms`. */
  readonly key: string;
  /** What is wrong and what would be right. */
  readonly message: string;
};

/** All that is wrong with a settings file. `message` has one line for each problem, as `file:line: key: what`. */
export type SettingsFault = Fault<"settings"> & { readonly problems: readonly SettingsProblem[] };

/** Settings that were read, and the line of each key, for rules that span several keys (see `settingsFault`). */
export type ReadSettings<S extends SettingsSchema> = {
  readonly settings: Static<S>;
  readonly lineOf: (key: string) => number | null;
};

/**
 * Reads the text of a settings file. What is missing takes its default; an empty text is all defaults.
 * `file` is the name that errors give. Errors: `settings`.
 */
export function readSettings<S extends SettingsSchema>(
  schema: S,
  text: string,
  file: string,
): Result<ReadSettings<S>, SettingsFault> {
  let table: Record<string, unknown>;
  try {
    table = parseToml(text, { unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    return err(settingsFault([{ file, line: error.line, key: "", message: `this is not TOML: ${what}.` }]));
  }
  const lines = keyLines(text);
  const problems: SettingsProblem[] = [];
  const value = readTable(schema, table, "", { file, lines, problems, root: schema });
  if (problems.length > 0) {
    problems.sort((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER));
    return err(settingsFault(problems));
  }
  return ok({ settings: value as Static<S>, lineOf: (key) => lines.get(key) ?? null });
}

/** What the schema has under a name as the file writes it; never what every object has, such as `to_string`. */
function propertyOf(schema: SettingsSchema, written: string): TSchema | undefined {
  const name = camelCase(written);
  return written === snakeCase(name) && Object.hasOwn(schema.properties, name)
    ? schema.properties[name]
    : undefined;
}

/** The fault for problems found, for what only the reader of a file can check (two keys that exclude each other). */
export const settingsFault = (problems: readonly SettingsProblem[]): SettingsFault => ({
  code: "settings",
  message: problems.map(showProblem).join("\n"),
  hint: "Nothing was started. Correct the file and try again.",
  problems,
});

const showProblem = ({ file, line, key, message }: SettingsProblem): string =>
  `${file}${line === null ? "" : `:${line}`}: ${key === "" ? "" : `${plainWords(key, MAX_KEY_SHOWN)}: `}${plainWords(message)}`;

const MAX_KEY_SHOWN = 200;

type Reading = {
  readonly file: string;
  readonly lines: KeyLines;
  readonly problems: SettingsProblem[];
  readonly root: SettingsSchema;
};

function readTable(
  schema: SettingsSchema,
  table: Readonly<Record<string, unknown>>,
  path: string,
  reading: Reading,
): Record<string, unknown> {
  const value: Record<string, unknown> = defaultsOf(schema);
  let known: string | null = knownIn(schema, path);
  for (const [written, given] of Object.entries(table)) {
    const key = path === "" ? written : `${path}.${written}`;
    const property = propertyOf(schema, written);
    if (property === undefined) {
      const guess = meant(schema, written, path, reading.root);
      reading.problems.push(problem(reading, key, guess ?? `there is no such setting.${known ?? ""}`));
      // Once is enough: a file of another program has many lines, and this is longer than all of them.
      if (guess === null) known = null;
    } else if (Type.IsObject(property)) {
      const shorthand = shorthandOf(property);
      const table = typeof given === "string" && shorthand !== null ? { [shorthand]: given } : given;
      if (isTable(table)) value[camelCase(written)] = readTable(property, table, key, reading);
      else reading.problems.push(problem(reading, key, `must be a table, written as [${key}].`));
    } else if (Value.Check(property, given)) {
      value[camelCase(written)] = given;
    } else {
      reading.problems.push(problem(reading, key, `is ${show(given)}; it must be ${expectation(property)}.`));
    }
  }
  for (const name of missing(schema, table)) {
    const key = path === "" ? name : `${path}.${name}`;
    const property = schema.properties[camelCase(name)] as TSchema;
    reading.problems.push({
      file: reading.file,
      line: reading.lines.get(path) ?? null,
      key,
      message: Type.IsObject(property)
        ? `the table [${key}] is missing.`
        : `is missing; it must be ${expectation(property)}.`,
    });
  }
  return value;
}

const problem = (reading: Reading, key: string, message: string): SettingsProblem => {
  let line: number | undefined;
  for (let at = key; line === undefined && at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    line = reading.lines.get(at);
  }
  return { file: reading.file, line: line ?? null, key, message };
};

/** Names, as written, of what must be given and is not. A table that has only defaults may be left out. */
const missing = (schema: SettingsSchema, table: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(schema.properties)
    .filter(([name]) => table[snakeCase(name)] === undefined)
    .filter(([, property]) => mustBeGiven(property))
    .map(([name]) => snakeCase(name));

const mustBeGiven = (property: TSchema): boolean =>
  !Type.IsOptional(property) &&
  (Type.IsObject(property) ? Object.values(property.properties).some(mustBeGiven) : !("default" in property));

/** What somebody meant who wrote what is no setting; null when that cannot be guessed. */
function meant(schema: SettingsSchema, written: string, path: string, root: SettingsSchema): string | null {
  const here = nearest(written, Object.keys(schema.properties).map(snakeCase));
  if (here !== null)
    return `there is no such setting. Did you mean ${path === "" ? here : `${path}.${here}`}?`;
  const everywhere = Object.entries(root.properties).flatMap(([name, property]) =>
    Type.IsObject(property)
      ? Object.keys(property.properties).map((inner) => `${snakeCase(name)}.${snakeCase(inner)}`)
      : [snakeCase(name)],
  );
  const there = everywhere.find((key) => key.split(".").at(-1) === written);
  return there === undefined ? null : `there is no such setting here. Did you mean ${there}?`;
}

const knownIn = (schema: SettingsSchema, path: string): string =>
  ` Known ${path === "" ? "are" : `in [${path}] are`} ${Object.keys(schema.properties).map(snakeCase).join(", ")}.`;

/** The setting, as written, that a table's text stands for: `database = "…"` for `[database] url = "…"`. */
function shorthandOf(table: TSchema): string | null {
  const { shorthand } = table as { readonly shorthand?: string };
  return shorthand === undefined ? null : snakeCase(shorthand);
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
