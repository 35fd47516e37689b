import { stringify } from "smol-toml";
import { type TSchema, Type } from "./schema.ts";

/** The schema of a settings file: an object of settings, and of tables (objects) of settings. */
export type SettingsSchema = ReturnType<typeof Type.Object>;

/** `heartbeatMs` to `heartbeat_ms`: the name in the file. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `heartbeat_ms` to `heartbeatMs`: the name in the program. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Every default of a schema, tables included. */
export function defaultsOf(schema: SettingsSchema): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    if (Type.IsObject(property)) {
      if (!Type.IsOptional(property)) value[name] = defaultsOf(property);
    } else if ("default" in property) value[name] = structuredClone(property.default);
  }
  return value;
}

/** What a setting must be, in words (`a whole number of at least 1`), or what its schema's `expects` says. */
export function expectation(schema: TSchema): string {
  const facts = schema as Facts;
  if (facts.expects !== undefined) return facts.expects;
  if (Type.IsUnion(schema)) return schema.anyOf.map(expectation).join(" or ");
  if (Type.IsLiteral(schema)) return JSON.stringify(schema.const);
  if (Type.IsBoolean(schema)) return "true or false";
  if (Type.IsInteger(schema)) return `a whole number${range(facts)}`;
  if (Type.IsNumber(schema)) return `a number${range(facts)}`;
  if (Type.IsString(schema)) {
    if (facts.pattern !== undefined) return `a text that matches ${facts.pattern}`;
    return (facts.minLength ?? 0) > 0 ? "a text that is not empty" : "a text";
  }
  if (Type.IsArray(schema)) return `a list, each entry ${expectation(schema.items)}`;
  if (Type.IsRecord(schema)) return "a table";
  return "another kind of value";
}

function range({ minimum, maximum }: Facts): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

/** What a schema says of itself beside its type. `expects` is ours: what to write, for errors. */
type Facts = {
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: unknown;
  readonly expects?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
};

/**
 * A settings file with every setting and its default written out as a comment, each under its description:
 * uncomment a line to change it. What has no default shows the first of its `examples`.
 */
export function settingsTemplate(schema: SettingsSchema, title: string): string {
  const lines = comment(title);
  const tables: [string, SettingsSchema][] = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    if (Type.IsObject(property)) tables.push([name, property]);
    else lines.push("", ...setting(name, property));
  }
  for (const [name, table] of tables) {
    lines.push("", ...comment(description(table)), `[${snakeCase(name)}]`);
    for (const [inner, property] of Object.entries(table.properties))
      lines.push("", ...setting(inner, property));
  }
  return `${lines.join("\n")}\n`;
}

function setting(name: string, schema: TSchema): string[] {
  const annotated = schema as Facts;
  const value = annotated.default ?? (Array.isArray(annotated.examples) ? annotated.examples[0] : undefined);
  const needed = annotated.default === undefined && !Type.IsOptional(schema);
  const note = annotated.default === undefined ? (needed ? " Must be given." : " Not set by default.") : "";
  return [
    ...comment(`${description(schema)}${note}`),
    `${needed ? "" : "#"}${stringify({ [snakeCase(name)]: value ?? "" }).trim()}`,
  ];
}

const description = (schema: TSchema): string => (schema as Facts).description ?? "";

const comment = (text: string): string[] =>
  text === "" ? [] : text.split("\n").map((line) => `# ${line}`.trimEnd());
